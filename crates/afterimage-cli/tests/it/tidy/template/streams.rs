//! The way from the streams to the processor.

use std::collections::{BTreeMap, BTreeSet};

use afterimage::Views;
use afterimage::views::TableRequirement;
use afterimage_local::event_source_mapping::starved_by_template;
use serde_json::{Value, json};

use super::super::text;
use super::{of_type, section};

/// The prefixes of the partition keys that the views read of `messages`, in the order of the views.
fn prefixes() -> Vec<String> {
    let views = Views::compiled_in().expect("views");
    let of_messages = |it: &TableRequirement| it.table.logical_name() == "messages";
    let requirement = views.requirements().into_iter().find(of_messages).expect("a view");
    requirement.slices.into_iter().map(|slice| slice.key_prefixes["pk"].clone()).collect()
}

#[test]
fn the_mappings_of_the_template_starve_no_view() {
    let views = Views::compiled_in().expect("views");
    let starved = starved_by_template(&views, &text("template.yaml"), Some("StreamProcessor"))
        .expect("a template");
    assert_eq!(starved, []);
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
        // Age alone ends the attempts, and early enough to fetch the records before the stream forgets
        // them after 24 hours.
        assert_eq!(settings["MaximumRetryAttempts"], -1, "{name}");
        let age_secs = settings["MaximumRecordAgeInSeconds"].as_i64();
        assert!(age_secs.is_some_and(|it| (60..=43_200).contains(&it)), "{name}");
    }
    assert!(mappings["AlbumsMapping"]["Properties"]["FilterCriteria"].is_null());
}

/// What Lambda does with the processor's permissions: no call of the processor shows that it needs them.
#[test]
fn lambda_may_read_the_streams_and_report_to_the_queue() {
    let mappings = of_type("AWS::Lambda::EventSourceMapping");
    let of_mappings = |pointer: &str| -> BTreeSet<String> {
        let found = mappings.values().map(|it| it["Properties"].pointer(pointer));
        found.flat_map(|it| texts(it.expect("a resource"))).collect()
    };
    let streams = of_mappings("/EventSourceArn");
    let queues = of_mappings("/DestinationConfig/OnFailure/Destination");
    let everything = BTreeSet::from(["*".to_owned()]);
    let expected = BTreeMap::from([
        ("dynamodb:DescribeStream".to_owned(), streams.clone()),
        ("dynamodb:GetRecords".to_owned(), streams.clone()),
        ("dynamodb:GetShardIterator".to_owned(), streams),
        ("dynamodb:ListStreams".to_owned(), everything),
        ("sqs:SendMessage".to_owned(), queues),
    ]);

    let mut allowed: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let processor = &section("Resources")["StreamProcessor"]["Properties"];
    for statement in processor["Policies"][0]["Statement"].as_array().expect("statements") {
        for action in texts(&statement["Action"]) {
            if expected.contains_key(&action) {
                assert!(statement["Condition"].is_null(), "{statement}");
                allowed.entry(action).or_default().extend(texts(&statement["Resource"]));
            }
        }
    }
    assert_eq!(allowed, expected);
}

/// One text, or a list of them.
fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice);
    list.iter().map(|it| it.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn the_filter_rests_on_keys_and_the_kind_of_change_alone() {
    let mapping = &section("Resources")["MessagesMapping"]["Properties"];
    let filters = mapping["FilterCriteria"]["Filters"].as_array().expect("filters").clone();
    let patterns: Vec<Value> = filters
        .iter()
        .map(|filter| {
            serde_json::from_str(filter["Pattern"].as_str().expect("text")).expect("JSON")
        })
        .collect();
    let prefixes: Vec<Value> = prefixes().iter().map(|it| json!({ "prefix": it })).collect();
    assert_eq!(
        patterns,
        [json!({
            "eventName": [{ "anything-but": ["REMOVE"] }],
            "dynamodb": { "Keys": { "pk": { "S": prefixes } } },
        })]
    );
}

#[test]
fn the_processor_writes_to_a_source_table_only_where_rows_are() {
    let processor = &section("Resources")["StreamProcessor"]["Properties"];
    let statements = processor["Policies"][0]["Statement"].as_array().expect("statements").clone();
    let rows = format!("{}*", prefixes()[1]);
    let mut writing = 0;
    for statement in &statements {
        let actions = statement["Action"].to_string();
        let writes = ["PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "PartiQL"];
        if !writes.iter().any(|it| actions.contains(it))
            || statement["Resource"] == "DerivedTable.Arn"
        {
            continue;
        }
        writing += 1;
        assert_eq!(statement["Resource"], "MessagesTable.Arn", "{statement}");
        let condition = json!({ "ForAllValues:StringLike": { "dynamodb:LeadingKeys": rows } });
        assert_eq!(statement["Condition"], condition, "{statement}");
    }
    assert_eq!(writing, 1, "{statements:?}");
}
