use serde_json::{Value, json};

use super::Filters;

fn record() -> Value {
    json!({
        "eventName": "INSERT",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_700_000_000,
            "SizeBytes": 300,
            "Keys": { "pk": { "S": "MSG#1" } },
            "NewImage": {
                "pk": { "S": "MSG#1" }, "Rank": { "N": "15" }, "Empty": { "S": "" },
                "Tags": { "SS": ["one", "two"] }, "Gone": { "NULL": true }, "Nothing": null,
            },
        },
    })
}

#[track_caller]
fn check(pattern: &Value, expected: bool) {
    let filters = Filters::compile(&[&pattern.to_string()]).expect("a pattern");
    assert_eq!(filters.accept(&record()), expected, "{pattern}");
}

fn image(pattern: &Value) -> Value {
    json!({ "dynamodb": { "NewImage": pattern } })
}

#[test]
fn values_and_their_combinations() {
    check(&json!({ "eventName": ["INSERT"] }), true);
    check(&json!({ "eventName": ["insert"] }), false);
    check(&json!({ "eventName": ["MODIFY", "INSERT"] }), true);
    check(&json!({ "eventName": ["INSERT"], "eventSource": ["aws:dynamodb"] }), false);
    check(
        &json!({ "$or": [{ "eventName": ["MODIFY"] }, image(&json!({ "Rank": { "N": ["15"] } }))] }),
        true,
    );
    check(&json!({ "$or": [{ "eventName": ["MODIFY"] }, { "eventName": ["REMOVE"] }] }), false);
    check(&image(&json!({ "Empty": { "S": [""] } })), true);
    check(&image(&json!({ "Rank": { "S": [""] } })), false);
    check(&image(&json!({ "Nothing": [null] })), true);
    check(&image(&json!({ "Gone": { "NULL": [true] } })), true);
    check(&image(&json!({ "Tags": { "SS": ["two"] } })), true);
    check(&image(&json!({ "Tags": { "SS": ["three"] } })), false);
    check(&json!({ "dynamodb": { "SizeBytes": [300] } }), true);
    check(&json!({ "dynamodb": { "SizeBytes": [300.0] } }), false);
}

#[test]
fn operators() {
    let pk = |operator: Value| json!({ "dynamodb": { "Keys": { "pk": { "S": [operator] } } } });
    check(&pk(json!({ "prefix": "MSG#" })), true);
    check(&pk(json!({ "prefix": "GRP#" })), false);
    check(&pk(json!({ "suffix": "#1" })), true);
    check(&pk(json!({ "suffix": "#2" })), false);
    check(&pk(json!({ "equals-ignore-case": "msg#1" })), true);
    check(&pk(json!({ "anything-but": ["MSG#1"] })), false);
    check(&pk(json!({ "anything-but": ["MSG#2", "MSG#3"] })), true);
    check(&pk(json!({ "anything-but": { "prefix": "MSG#" } })), false);
    check(&pk(json!({ "exists": true })), true);
    check(&pk(json!({ "exists": false })), false);
    check(&image(&json!({ "Absent": { "S": [{ "exists": false }] } })), true);
    check(&image(&json!({ "Absent": { "S": [{ "anything-but": ["x"] }] } })), false);
    check(&image(&json!({ "Rank": [{ "exists": true }] })), false);
    check(&json!({ "userIdentity": { "type": [{ "exists": false }] } }), true);
    check(&json!({ "userIdentity": { "type": ["Service"] } }), false);
}

#[test]
fn numeric_matches_numbers_of_the_record_but_never_those_of_an_item() {
    let numeric = json!([{ "numeric": [">", 10, "<=", 300] }]);
    check(&json!({ "dynamodb": { "SizeBytes": numeric } }), true);
    check(&json!({ "dynamodb": { "SizeBytes": [{ "numeric": ["<", 300] }] } }), false);
    check(&image(&json!({ "Rank": { "N": numeric } })), false);
    check(&image(&json!({ "Rank": { "N": ["15"] } })), true);
}

#[test]
fn one_filter_of_several_is_enough_and_none_takes_everything() {
    let insert = json!({ "eventName": ["INSERT"] }).to_string();
    let remove = json!({ "eventName": ["REMOVE"] }).to_string();
    assert!(Filters::compile(&[&remove, &insert]).expect("filters").accept(&record()));
    assert!(!Filters::compile(&[&remove]).expect("filters").accept(&record()));
    assert!(Filters::compile(&[]).expect("filters").accept(&record()));
    let twice = r#"{"eventName": ["REMOVE"], "eventName": ["INSERT"]}"#;
    assert!(Filters::compile(&[twice]).expect("the last one counts").accept(&record()));
}

#[test]
fn what_lambda_would_refuse_is_refused() {
    for pattern in [
        "not json",
        "[]",
        r#"{"eventName": "INSERT"}"#,
        r#"{"eventName": []}"#,
        r#"{"eventName": [{"begins": "I"}]}"#,
        r#"{"eventName": [{"prefix": 1}]}"#,
        r#"{"eventName": [{"numeric": [">"]}]}"#,
        r#"{"$or": {"eventName": ["INSERT"]}}"#,
    ] {
        assert!(Filters::compile(&[pattern]).is_err(), "{pattern}");
    }
    let long = json!({ "eventName": ["x".repeat(4096)] }).to_string();
    assert!(Filters::compile(&[&long]).is_err());
    assert!(Filters::compile(&["{}"; 11]).is_err());
}
