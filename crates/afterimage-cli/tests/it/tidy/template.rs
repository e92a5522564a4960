//! `template.yaml`.

mod alarms;
mod cors;
mod first_deploy;
mod functions;
mod streams;

use std::collections::BTreeMap;

use afterimage::Views;
use afterimage_schema::TableDefinition;
use serde_json::{Map, Value, json};
use serde_yaml_ng::Value as Yaml;

use super::text;

/// A section of the template, with CloudFormation's tags (`!Ref`, `!GetAtt`, …) reduced to what they hold.
fn section(name: &str) -> Map<String, Value> {
    let yaml: Yaml = serde_yaml_ng::from_str(&text("template.yaml")).expect("YAML");
    let template = untagged(&yaml);
    template[name].as_object().expect("a section").clone()
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
    let mut resources = section("Resources");
    resources.retain(|_, resource| resource["Type"] == kind);
    assert!(!resources.is_empty(), "no {kind}");
    resources.into_iter().collect()
}

/// `schema/<table>.json`.
fn schema(table: &str) -> Value {
    serde_json::from_str(&text(&format!("schema/{table}.json"))).expect("JSON")
}

#[test]
fn the_schema_is_that_of_the_shipped_views_file() {
    for definition in Views::compiled_in().expect("views").all_tables() {
        let table = &definition.table;
        let mut input = definition.create_table_input(&table.default_name());
        let mut file = schema(table.logical_name());
        let read = TableDefinition::from_create_table_input(table, &file).expect("a definition");
        assert_eq!(read, definition, "{table}");
        // Their order means nothing to CreateTable.
        for side in [&mut input, &mut file] {
            side.as_object_mut().expect("an object").remove("AttributeDefinitions");
        }
        assert_eq!(file, input, "{table}");
    }
}

#[test]
fn the_tables_are_those_of_the_schema() {
    let tables = of_type("AWS::DynamoDB::Table");
    let definitions =
        [("albums", "AlbumsTable"), ("messages", "MessagesTable"), ("derived", "DerivedTable")];
    assert_eq!(tables.len(), definitions.len());
    for (table, resource) in definitions {
        let mut expected = schema(table);
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
