//! `template.yaml`.

mod alarms;
mod first_deploy;
mod functions;
mod streams;

use std::collections::BTreeMap;

use afterimage_schema::{Table, definition};
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
