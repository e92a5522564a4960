//! `replay` of records in the forms in which services hand them over.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::undelivered::{AWS_STREAM, counted, squeezed};
use crate::world::World;

fn record(number: u32) -> Value {
    json!({
        "eventID": format!("{number:032x}"),
        "eventName": "INSERT",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": {
            "ApproximateCreationDateTime": 1_767_600_000,
            "Keys": { "Artist": { "S": "Moondog" }, "Album": { "S": number.to_string() } },
            "NewImage": {
                "Artist": { "S": "Moondog" },
                "Album": { "S": number.to_string() },
                "Genre": { "S": "Jazz" },
            },
            "SequenceNumber": (800_000_000_000_000_000_000_u128 + u128::from(number)).to_string(),
            "SizeBytes": 60,
            "StreamViewType": "NEW_IMAGE",
        },
        "eventSourceARN": AWS_STREAM,
    })
}

#[track_caller]
fn check(world: &World, text: &str, arguments: &[&str], expected: &Expect) {
    let path = world.file("records.json", text);
    let path = path.to_str().expect("UTF-8");
    let run = world.run(None, &[&["replay", path], arguments].concat());
    let text = format!("exit code {}\n{}{}", run.code.expect("one"), run.stdout, run.stderr);
    expected.assert_eq(&squeezed(text.replace(path, "RECORDS")));
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_read_in_every_form() {
    let world = World::new().await;
    // As EventBridge Pipes hands them over.
    check(
        &world,
        &json!([record(1), record(2)]).to_string(),
        &[],
        &expect![[r#"
        exit code 0
        FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
        RECORDS  1  INSERT  800000000000000000001  genre-counts  applied
        RECORDS  2  INSERT  800000000000000000002  genre-counts  applied
        total: 2 applied
        consumed: 6 write units (3.00 per record), 2 read units
    "#]],
    );
    assert_eq!(world.counts("albums-by-genre"), [counted("Jazz", "2")]);
    let twice = expect![[r#"
        exit code 0
        FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
        RECORDS  1  INSERT  800000000000000000001  genre-counts  duplicate
        RECORDS  2  INSERT  800000000000000000002  genre-counts  duplicate
        total: 2 duplicate
        consumed: 0 write units (0.00 per record), 2 read units
    "#]];
    let events = [1, 2].map(|number| json!({ "Records": [record(number)] }));
    let queued = |body: &Value| json!({ "messageId": "1", "body": body.to_string(), "eventSource": "aws:sqs" });
    let in_queue = json!({ "Records": [queued(&events[0]), queued(&record(2))] });
    let in_s3 = json!({ "version": "1.0", "payload": json!({ "Records": [record(1), record(2)] }).to_string() });
    for text in [
        format!("{}\n{}\n", record(1), record(2)),
        format!("{}\r\n{}", events[0], events[1]),
        format!("{:#}{:#}", events[0], events[1]),
        in_queue.to_string(),
        in_s3.to_string(),
    ] {
        check(&world, &text, &[], &twice);
    }
    assert_eq!(world.counts("albums-by-genre"), [counted("Jazz", "2")]);
    assert_eq!(world.ids(), [""; 0], "nothing is parked");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_that_come_by_kinesis_are_neither_counted_nor_parked() {
    let world = World::new().await;
    let mut change = record(1);
    change["tableName"] = "afterimage-albums".into();
    change["recordFormat"] = "application/json".into();
    change["userIdentity"] = Value::Null;
    for name in ["eventSourceARN", "eventVersion"] {
        change.as_object_mut().expect("an object").remove(name);
    }
    for name in ["SequenceNumber", "StreamViewType"] {
        change["dynamodb"].as_object_mut().expect("an object").remove(name);
    }
    let refused = expect![[r#"
        exit code 1
        error: RECORDS is a change of the table afterimage-albums from Kinesis Data Streams for DynamoDB, which cannot be applied: it has no sequence number of the table's stream, and Kinesis may deliver changes more than once and out of order
          next: replay the same change from the table's DynamoDB stream, which keeps it for 24 hours; `afterimage verify` names what has drifted without it
    "#]];
    let event = json!({ "Records": [change] }).to_string();
    check(&world, &event, &[], &refused);
    check(&world, &event, &["--stream-arn", AWS_STREAM], &refused);
    check(&world, &change.to_string(), &["--stream-arn", AWS_STREAM], &refused);
    // Good records beside it wait too: a file is applied whole, or not at all.
    check(
        &world,
        &json!([record(1), change]).to_string(),
        &[],
        &expect![[r#"
        exit code 1
        error: entry 2 of RECORDS is a change of the table afterimage-albums from Kinesis Data Streams for DynamoDB, which cannot be applied: it has no sequence number of the table's stream, and Kinesis may deliver changes more than once and out of order
          next: replay the same change from the table's DynamoDB stream, which keeps it for 24 hours; `afterimage verify` names what has drifted without it
    "#]],
    );
    assert_eq!(world.counts("albums-by-genre"), []);
    assert_eq!(world.ids(), [""; 0], "nothing is parked");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_records_is_named_for_what_it_is() {
    let world = World::new().await;
    for (text, expected) in [
        (
            "",
            expect![[r#"
            exit code 1
            error: RECORDS is empty
              next: give a file with records of a DynamoDB stream: an event as Lambda delivers it, an answer of GetRecords, a list of records, or an on-failure record with its `payload`; what the on-failure queue holds is read with --undelivered
        "#]],
        ),
        (
            "Artist,Album\nMoondog,1\n",
            expect![[r#"
            exit code 1
            error: RECORDS is not JSON at line 1
              because: expected value at line 1 column 1
              next: correct the file: it holds one JSON value, or several after another
        "#]],
        ),
        (
            "{\"Records\": []}\n{\"Records\": [}\n",
            expect![[r#"
            exit code 1
            error: RECORDS is not JSON at line 2
              because: expected value at line 2 column 14
              next: correct the file: it holds one JSON value, or several after another
        "#]],
        ),
        (
            r#"{"DDBStreamBatchInfo": {"batchSize": 1}}"#,
            expect![[r#"
            exit code 1
            error: RECORDS says which batch Lambda gave up, and does not hold its records
              next: `afterimage replay --undelivered RECORDS` reads them from their stream
        "#]],
        ),
        (
            r#"{"payload": "{}"}"#,
            expect![[r#"
            exit code 1
            error: the payload of RECORDS is an empty JSON object
              next: give a file with records of a DynamoDB stream: an event as Lambda delivers it, an answer of GetRecords, a list of records, or an on-failure record with its `payload`; what the on-failure queue holds is read with --undelivered
        "#]],
        ),
        (
            r#"{"Records": [{"eventSource": "aws:s3", "s3": {"bucket": {"name": "b"}, "object": {"key": "k"}}}]}"#,
            expect![[r#"
                exit code 1
                error: RECORDS is only the place of an object in S3, s3://b/k
                  next: fetch it with `aws s3 cp s3://b/k batch.json`, and give that file
            "#]],
        ),
        (
            r#"{"Records": [{"eventVersion": "1.11", "eventName": "GetItem"}]}"#,
            expect![[r#"
            exit code 1
            error: RECORDS is a JSON object with `eventName`, `eventVersion`
              next: give a file with records of a DynamoDB stream: an event as Lambda delivers it, an answer of GetRecords, a list of records, or an on-failure record with its `payload`; what the on-failure queue holds is read with --undelivered
        "#]],
        ),
    ] {
        check(&world, text, &[], &expected);
    }
    // An empty event is done.
    check(&world, r#"{"Records": []}"#, &[], &expect![["exit code 0\n"]]);
}
