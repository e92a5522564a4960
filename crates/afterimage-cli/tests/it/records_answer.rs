//! `replay` of answers of `GetRecords`, which do not name their stream.

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::program::{check, run};
use crate::undelivered::{AWS_STREAM, counted, squeezed};
use crate::world::World;

/// What `aws dynamodbstreams get-records` prints.
fn records_answer(created_at: &Value) -> Value {
    json!({
        "Records": [{
            "eventID": "b8a0948e6117629268f6dd1a05011dec",
            "eventName": "INSERT",
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": {
                "ApproximateCreationDateTime": created_at,
                "Keys": { "Artist": { "S": "AC/DC" }, "Album": { "S": "Powerage" } },
                "NewImage": {
                    "Artist": { "S": "AC/DC" },
                    "Album": { "S": "Powerage" },
                    "Genre": { "S": "Rock" },
                },
                "SequenceNumber": "100000000000000001000",
                "SizeBytes": 91,
                "StreamViewType": "NEW_IMAGE",
            },
        }],
        "NextShardIterator": "arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/i|1|AAAA",
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_get_records_needs_the_name_of_its_stream() {
    let world = World::new().await;
    let check = |created_at: Value, arguments: &[&str], expected: &Expect| {
        let path = world.file("records.json", &records_answer(&created_at).to_string());
        let path = path.to_str().expect("UTF-8");
        let run = world.run(None, &[&["replay", path], arguments].concat());
        let text = format!("exit code {}\n{}{}", run.code.expect("one"), run.stdout, run.stderr);
        expected.assert_eq(&squeezed(text.replace(path, "RECORDS")));
    };
    check(
        json!(1_767_600_000),
        &[],
        &expect![[r#"
        exit code 1
        error: record 1 of RECORDS has no `eventSourceARN`, which tells its table and stream
          next: give --stream-arn ARN, the stream that the records were read from: an answer of GetRecords does not name it
    "#]],
    );
    let foreign = AWS_STREAM.replace("afterimage-albums", "other");
    check(
        json!(1_767_600_000),
        &["--stream-arn", &foreign],
        &expect![[r#"
        exit code 1
        error: record 1 of RECORDS is of the table other, which is none of this deployment's
          next: declare the table in the views file that --views names, or give its real name there or by its variable, such as ORDERS_TABLE
    "#]],
    );
    assert_eq!(world.ids(), [""; 0], "nothing is parked");
    let own = ["--stream-arn", AWS_STREAM];
    check(
        json!("2026-01-05T08:00:00+00:00"),
        &own,
        &expect![[r#"
            exit code 0
            FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
            RECORDS  1  INSERT  100000000000000001000  genre-counts  applied
            total: 1 applied
            consumed: 4 write units (4.00 per record), 1 read units
        "#]],
    );
    check(
        json!(1_767_600_000.0),
        &own,
        &expect![[r#"
            exit code 0
            FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
            RECORDS  1  INSERT  100000000000000001000  genre-counts  duplicate
            total: 1 duplicate
            consumed: 0 write units (0.00 per record), 1 read units
        "#]],
    );
    assert_eq!(world.counts("albums-by-genre"), [counted("Rock", "1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_reaches_no_view_is_no_success() {
    let world = World::new().await;
    let mut answer = records_answer(&json!(1_767_600_000));
    answer["Records"][0]["eventName"] = "UPSERT".into();
    let path = world.file("records.json", &answer.to_string());
    let path = path.to_str().expect("UTF-8");
    let endpoint = world.endpoint();
    let run = run(&["replay", path, "--stream-arn", AWS_STREAM, "--endpoint", &endpoint]);
    expect![[r#"
        exit code Some(1)
        error: no view could be told for 1 of the records: parked under `-`
          next: `afterimage parked list -` says why
    "#]]
    .assert_eq(&format!("exit code {:?}\n{}", run.code, run.stderr));
    assert_eq!(world.ids().len(), 1);
    check(
        "no endpoint",
        &["replay", "records.json", "--stream-arn", "afterimage-albums"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: invalid value 'afterimage-albums' for '--stream-arn <ARN>': give it as `aws dynamodbstreams list-streams` does: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL

            For more information, try '--help'.
        "#]],
    );
}
