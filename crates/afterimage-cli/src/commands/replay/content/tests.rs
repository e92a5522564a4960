use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::{Expect, expect};
use serde_json::json;

use super::*;

/// A line for each thing that a text holds.
fn found(text: &str) -> String {
    let values = json_file::values("f", text).expect("JSON");
    let line = |content: &Content| match content {
        Content::Record(raw) => format!("record {}\n", raw.get()),
        Content::OnFailure(message) => {
            format!("on-failure {}\n", message.keys().cloned().collect::<Vec<_>>().join(" "))
        }
        Content::Other(kind) => format!("{kind}\n"),
    };
    contents(values).iter().map(line).collect()
}

#[track_caller]
fn check(value: &Value, expected: &Expect) {
    expected.assert_eq(&found(&value.to_string()));
}

const RECORD: &str = r#"{ "eventName":"INSERT", "dynamodb":{"SequenceNumber":"100000000000000000001"}, "dynamodb":{"SequenceNumber":"1e400"} }"#;

#[test]
fn records_are_taken_as_they_are_written_in_every_envelope() {
    let line = format!("record {RECORD}\n");
    let event = format!(r#"{{"Records": [{RECORD}]}}"#);
    let in_queue =
        json!({ "Records": [{ "messageId": "1", "body": event, "eventSource": "aws:sqs" }] });
    let received = json!({ "Messages": [{ "MessageId": "1", "Body": RECORD }] });
    for text in [
        RECORD.to_owned(),
        event.clone(),
        format!("[{RECORD}]"),
        format!(r#"{{"NextShardIterator": "i", "Records": [{RECORD}]}}"#),
        json!(event).to_string(),
        in_queue.to_string(),
        received.to_string(),
    ] {
        assert_eq!(found(&text), line, "{text}");
    }
    for text in [
        format!("{RECORD}\n{RECORD}"),
        format!("[{RECORD}, {RECORD}]"),
        format!("[{event}, {event}]"),
        format!("{event}\n{event}\n"),
    ] {
        assert_eq!(found(&text), line.repeat(2), "{text}");
    }
    assert_eq!(found(r#"{"Records": []}"#), "");
    assert_eq!(found("[]"), "");
}

#[test]
fn what_an_event_has_in_place_of_a_record_is_left_to_the_processor() {
    let event = r#"{"Records": [1, null, "x", [], {"eventSourceARN": "arn"}, {"dynamodb": "none", "eventSourceARN": "arn"}, {"a": "\ud800"}]}"#;
    expect![[r#"
        JSON that cannot be read (unexpected end of hex escape at line 1 column 119)
    "#]]
    .assert_eq(&found(event));
}

fn kinesis_change() -> Value {
    json!({
        "awsRegion": "eu-west-1",
        "eventID": "b1f4a6b2-52a8-4c07-9a0e-2d6f5c1d9e11",
        "eventName": "MODIFY",
        "userIdentity": null,
        "recordFormat": "application/json",
        "tableName": "shop-orders",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_600_000_123_u64,
            "ApproximateCreationDateTimePrecision": "MILLISECOND",
            "Keys": { "customer": { "S": "ada" } },
            "NewImage": { "customer": { "S": "ada" }, "status": { "S": "open" } },
            "SizeBytes": 31,
        },
        "eventSource": "aws:dynamodb",
    })
}

#[test]
fn changes_that_come_by_kinesis_are_named_in_every_envelope() {
    let line = expect![[r#"
        a change of the table shop-orders from Kinesis Data Streams for DynamoDB, which cannot be applied: it has no sequence number of the table's stream, and Kinesis may deliver changes more than once and out of order
    "#]];
    let change = kinesis_change();
    let data = STANDARD.encode(change.to_string());
    let of_lambda = json!({ "kinesis": { "data": data }, "eventSource": "aws:kinesis", "eventSourceARN": "arn:aws:kinesis:eu-west-1:1:stream/s" });
    for value in [
        change.clone(),
        json!([change]),
        json!({ "Records": [change] }),
        json!({ "Records": [of_lambda] }),
        json!([of_lambda]),
        json!({ "MillisBehindLatest": 0, "Records": [{ "SequenceNumber": "49", "PartitionKey": "p", "Data": data }] }),
    ] {
        check(&value, &line);
    }
    let mut with_source = change;
    with_source["eventSourceARN"] =
        "arn:aws:dynamodb:eu-west-1:1:table/shop-orders/stream/l".into();
    check(&json!({ "Records": [with_source] }), &line);
    let other = json!({ "kinesis": { "data": "aGVsbG8=" }, "eventSource": "aws:kinesis" });
    check(
        &json!({ "Records": [other] }),
        &expect![[r#"
        a record of a Kinesis stream
    "#]],
    );
}

#[test]
fn what_is_neither_is_named_for_what_it_is() {
    let values = json!([
        { "TableName": "t", "KeySchema": [], "B": 1, "C": 2, "D": 3, "E": 4 },
        {},
        { "Item": { "customer": { "S": "ada" } } },
        { "Metadata": { "WriteTimestampMicros": { "N": "1" } }, "Keys": {}, "NewImage": {} },
        { "version": "0", "detail-type": "Scheduled Event", "source": "aws.events", "detail": {} },
        { "detail-type": "Object Created", "source": "aws.s3", "detail": { "bucket": { "name": "b" }, "object": { "key": "k" } } },
        { "Records": [{ "eventVersion": "1.11", "eventName": "GetRecords", "awsRegion": "eu-west-1" }] },
        "hello",
        "",
        7,
        true,
        null,
    ]);
    check(
        &values,
        &expect![[r#"
        a JSON object with `B`, `C`, `D`, `E`, `KeySchema` and more
        an empty JSON object
        an item of a table export, which has no sequence number of the table's stream
        an item of a table export, which has no sequence number of the table's stream
        an event of EventBridge
        only the place of an object in S3, s3://b/k
        a JSON object with `awsRegion`, `eventName`, `eventVersion`
        text that is not JSON
        text that is not JSON
        a number
        true or false
        null
    "#]],
    );
    let deep = "[".repeat(40) + &"]".repeat(40);
    expect![[r#"
        a JSON list
    "#]]
    .assert_eq(&found(&deep));
    let deeper = "[".repeat(400) + &"]".repeat(400);
    expect![[r#"
        JSON that cannot be read (recursion limit exceeded at line 1 column 128)
    "#]]
    .assert_eq(&found(&deeper));
}
