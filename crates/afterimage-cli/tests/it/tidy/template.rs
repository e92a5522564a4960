//! `template.yaml`.

use std::collections::{BTreeMap, BTreeSet};

use afterimage_schema::{Table, definition};
use expect_test::expect;
use serde_json::{Value, json};
use serde_yaml_ng::Value as Yaml;

use super::{files, text};
use crate::program::repository;

/// The resources, with CloudFormation's tags (`!Ref`, `!GetAtt`, …) reduced to what they hold.
fn resources() -> BTreeMap<String, Value> {
    let yaml: Yaml = serde_yaml_ng::from_str(&text("template.yaml")).expect("YAML");
    let template = untagged(&yaml);
    let resources = template["Resources"].as_object().expect("resources");
    resources.iter().map(|(name, resource)| (name.clone(), resource.clone())).collect()
}

fn untagged(yaml: &Yaml) -> Value {
    match yaml {
        Yaml::Tagged(tagged) => untagged(&tagged.value),
        Yaml::Sequence(items) => items.iter().map(untagged).collect(),
        Yaml::Mapping(mapping) => mapping
            .iter()
            .map(|(key, value)| (key.as_str().expect("a name").to_owned(), untagged(value)))
            .collect(),
        scalar => serde_json::to_value(scalar).expect("a scalar"),
    }
}

fn of_type(kind: &str) -> BTreeMap<String, Value> {
    let mut resources = resources();
    resources.retain(|_, resource| resource["Type"] == kind);
    assert!(!resources.is_empty(), "no {kind}");
    resources
}

#[test]
fn the_tables_are_those_of_the_schema() {
    let tables = of_type("AWS::DynamoDB::Table");
    assert_eq!(tables.len(), Table::ALL.len());
    for (table, resource) in [
        (Table::Albums, "AlbumsTable"),
        (Table::Messages, "MessagesTable"),
        (Table::Derived, "DerivedTable"),
    ] {
        let mut expected = definition(table).expect("compiled in").create_table_input;
        let expected = expected.as_object_mut().expect("an object");
        // CloudFormation chooses the name, and turns a stream on by naming its view type.
        expected.remove("TableName");
        if let Some(stream) = expected.get_mut("StreamSpecification") {
            let enabled = stream.as_object_mut().and_then(|it| it.remove("StreamEnabled"));
            assert_eq!(enabled, Some(json!(true)));
        }
        let mut found = tables[resource]["Properties"].as_object().expect("properties").clone();
        // What CreateTable does not take, or only production wants.
        for more in [
            "DeletionProtectionEnabled",
            "PointInTimeRecoverySpecification",
            "TimeToLiveSpecification",
        ] {
            found.remove(more);
        }
        assert_eq!(&found, expected, "{resource} and schema/{table}.json");
    }
    assert_eq!(
        tables["DerivedTable"]["Properties"]["TimeToLiveSpecification"],
        json!({ "AttributeName": "expires_at", "Enabled": true })
    );
}

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
fn no_record_is_lost_between_stream_and_function() {
    let mappings = of_type("AWS::Lambda::EventSourceMapping");
    let sources: Vec<&str> = mappings
        .values()
        .map(|mapping| mapping["Properties"]["EventSourceArn"].as_str().expect("a stream"))
        .collect();
    assert_eq!(sources, ["AlbumsTable.StreamArn", "MessagesTable.StreamArn"]);
    for (name, mapping) in &mappings {
        let settings = &mapping["Properties"];
        assert_eq!(settings["FunctionName"], "StreamProcessor", "{name}");
        assert_eq!(settings["StartingPosition"], "TRIM_HORIZON", "{name}");
        assert_eq!(settings["FunctionResponseTypes"], json!(["ReportBatchItemFailures"]), "{name}");
        assert_eq!(settings["BisectBatchOnFunctionError"], true, "{name}");
        let destination = &settings["DestinationConfig"]["OnFailure"]["Destination"];
        assert_eq!(destination, "UndeliveredRecords.Arn", "{name}");
        // Bounded, and early enough to fetch the records before the stream forgets them after 24 hours.
        assert!(settings["MaximumRetryAttempts"].as_i64().is_some_and(|it| it > 0), "{name}");
        let age_secs = settings["MaximumRecordAgeInSeconds"].as_i64();
        assert!(age_secs.is_some_and(|it| (60..=43_200).contains(&it)), "{name}");
    }
    assert!(mappings["AlbumsMapping"]["Properties"]["FilterCriteria"].is_null());
}

#[test]
fn the_filter_rests_on_keys_and_the_kind_of_change_alone() {
    let mapping = &resources()["MessagesMapping"]["Properties"];
    let filters = mapping["FilterCriteria"]["Filters"].as_array().expect("filters").clone();
    let patterns: Vec<Value> = filters
        .iter()
        .map(|filter| {
            serde_json::from_str(filter["Pattern"].as_str().expect("text")).expect("JSON")
        })
        .collect();
    assert_eq!(
        patterns,
        [json!({
            "eventName": [{ "anything-but": ["REMOVE"] }],
            "dynamodb": { "Keys": { "pk": { "S": [{ "prefix": "MSG#" }, { "prefix": "GRP#" }] } } },
        })]
    );
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
        for table in Table::ALL {
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
