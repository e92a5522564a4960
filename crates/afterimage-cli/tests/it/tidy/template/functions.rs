//! The functions: their binaries, routes, tables and permissions.

use std::collections::BTreeSet;

use afterimage::Views;
use afterimage_schema::Table;
use expect_test::expect;
use serde_json::{Map, Value};

use super::super::{files, text};
use super::of_type;
use crate::program::repository;

#[test]
fn every_function_has_its_binary_and_every_binary_its_function() {
    let mut deployed = BTreeSet::new();
    for (name, function) in of_type("AWS::Serverless::Function") {
        assert_eq!(function["Metadata"]["BuildMethod"], "rust-cargolambda", "{name}");
        let folder = function["Properties"]["CodeUri"].as_str().expect("a folder").to_owned();
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary");
        let own_file = repository().join(&folder).join(format!("src/bin/{binary}.rs"));
        let manifest = text(&format!("{folder}/Cargo.toml"));
        let declared = manifest.contains(&format!("[[bin]]\nname = \"{binary}\""));
        assert!(own_file.is_file() || declared, "{name}: {folder} builds no {binary}");
        deployed.insert(binary.to_owned());
    }
    for path in files("crates").iter().filter(|path| path.contains("/src/bin/")) {
        let binary = path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs"));
        assert!(binary.is_some_and(|it| deployed.contains(it)), "{path} is in no function");
    }
}

#[test]
fn only_message_routes_need_a_token() {
    let mut routes = Vec::new();
    for (name, function) in of_type("AWS::Serverless::Function") {
        for event in
            function["Properties"]["Events"].as_object().into_iter().flat_map(|it| it.values())
        {
            let route = &event["Properties"];
            if event["Type"] == "HttpApi" {
                let authorizer = route["Auth"]["Authorizer"].as_str().unwrap_or("nobody");
                let (method, path) = (&route["Method"], &route["Path"]);
                let (method, path) = (method.as_str().expect("GET"), path.as_str().expect("/"));
                routes.push(format!("{path} {method} {name} {authorizer}\n"));
            }
        }
    }
    routes.sort();
    expect![[r#"
        /api/albums DELETE DeleteAlbum nobody
        /api/albums GET ListAlbums nobody
        /api/albums POST AddAlbum nobody
        /api/albums PUT UpdateAlbum nobody
        /api/genres GET ListGenres nobody
        /api/message_groups GET ListMessageGroups Users
        /api/messages POST PostMessage Users
        /api/messages/{message_group_uuid} GET ListMessages Users
    "#]]
    .assert_eq(&routes.concat());
}

#[test]
fn functions_have_the_tables_that_they_may_use_and_no_wide_permission() {
    for (name, function) in of_type("AWS::Serverless::Function") {
        let variables = &function["Properties"]["Environment"]["Variables"];
        let policies = function["Properties"]["Policies"].as_array().expect("policies");
        let statements: Vec<&Value> = policies
            .iter()
            .flat_map(|it| it["Statement"].as_array().expect("statements"))
            .collect();
        let allowed = serde_json::to_string(&statements).expect("JSON");
        for table in [albums::ALBUMS, messages::MESSAGES, Table::DERIVED] {
            let resource = variables[table.environment_variable()].as_str();
            let used = resource.is_some_and(|resource| allowed.contains(resource));
            assert_eq!(resource.is_some(), used, "{name} and {table}");
        }
        for statement in statements {
            assert!(!statement["Action"].to_string().contains('*'), "{name}: {statement}");
            let is_listing = statement["Action"] == "dynamodb:ListStreams";
            assert_eq!(statement["Resource"] == "*", is_listing, "{name}: {statement}");
        }
    }
}

/// The tables that a binary asks the environment for.
fn tables_of(folder: &str, binary: &str) -> Vec<Table> {
    let views = Views::compiled_in().expect("views");
    match (folder, binary) {
        ("crates/stream-processor", _) => {
            views.all_tables().into_iter().map(|it| it.table).collect()
        }
        ("crates/messages", _) => vec![messages::MESSAGES],
        ("crates/albums", _) => {
            let source = text(&format!("{folder}/src/bin/{binary}.rs"));
            let is_of_genres = source.contains("Genres::of_function");
            vec![if is_of_genres { Table::DERIVED } else { albums::ALBUMS }]
        }
        (folder, _) => panic!("the tables of {folder} are not known here"),
    }
}

#[test]
fn functions_are_told_the_tables_that_their_binaries_ask_for() {
    for (name, function) in of_type("AWS::Serverless::Function") {
        let folder = function["Properties"]["CodeUri"].as_str().expect("a folder");
        let binary = function["Metadata"]["BuildProperties"]["Binary"].as_str().expect("a binary");
        let asked = tables_of(folder, binary);
        let asked: BTreeSet<_> = asked.iter().map(Table::environment_variable).collect();
        let told = function["Properties"]["Environment"]["Variables"].as_object();
        let told: BTreeSet<_> = told.into_iter().flat_map(Map::keys).cloned().collect();
        assert_eq!(told, asked, "{name}");
    }
}
