//! The files of `events/stream`, and the largest event there is.

use std::time::Duration;

use afterimage_dynamodb::StoreError;
use serde_json::{Value, json};
use testkit::lambda::{DynamoDbProxy, Function, Hold, HoldAt, Moment, event};

use super::{Deployment, MESSAGES, album, batch, failed, message, program, record};

/// Every file, in the order in which the records were written.
const EVENTS: [&str; 13] = [
    "album-insert",
    "album-genre-change",
    "album-removal",
    "undecodable-record",
    "message-insert",
    "group-row-insert",
    "several-groups-in-one-batch",
    "same-record-twice",
    "records-out-of-order",
    "message-edit-newest",
    "message-edit-older",
    "remove",
    "ttl-remove",
];

/// The most that Lambda gives a function
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;

#[tokio::test]
async fn every_event_is_applied_and_again_changes_nothing() {
    let deployment = Deployment::new().await;
    let (owner, other) =
        ("5b1f6c52-8f0e-4c1c-9d59-0d3d4b1c7a01", "9e2a4d17-3c6b-4f5e-8a70-6f1b2c3d4e02");
    let group = "1f0a7c3e-52b4-4d6f-8e91-a1b2c3d4e5f6";
    for owner in [owner, other] {
        deployment.put_row(owner, group, "2026-01-05T09:00:00.120000+00:00").await;
    }
    let (mut function, _dynamodb) = deployment.start(None).await;
    for _ in 0..2 {
        for name in EVENTS {
            let event = event(&format!("stream/{name}"));
            let response = function.invoke(&event).await.expect("a response");
            assert_eq!(failed(&response), [""; 0], "{name}");
        }
        let counts = [
            ("Modal Jazz", Some("1")),
            ("Jazz", Some("1")),
            ("Afrobeat", Some("1")),
            ("Folk", None),
        ];
        for (genre, count) in counts {
            assert_eq!(deployment.count(genre).await.as_deref(), count, "{genre}");
        }
        let moved = "2026-01-05T09:05:30.482913+00:00";
        for owner in [owner, other] {
            let key = format!("GRP#{owner}");
            let message = deployment.attribute(MESSAGES, (&key, moved), "message").await;
            assert!(message.is_some_and(|it| it != "old"), "{owner}");
            let left = (key.as_str(), "2026-01-05T09:00:00.120000+00:00");
            assert_eq!(deployment.attribute(MESSAGES, left, "sk").await, None);
        }
    }
}

#[test]
fn every_file_is_delivered() {
    let folder = testkit::lambda::repository().join("events/stream");
    let mut found: Vec<_> = std::fs::read_dir(folder)
        .expect("events/stream")
        .map(|it| it.expect("an entry").path().file_stem().expect("a name").to_owned())
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    found.sort();
    let mut expected = EVENTS;
    expected.sort_unstable();
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_event_of_6_mb_is_applied() {
    let deployment = Deployment::new().await;
    let (mut function, _dynamodb) = deployment.start(None).await;
    let note_bytes = EVENT_BYTES_MAX / 1_000 - album(1, "Jazz").to_string().len() - 40;
    let records: Vec<Value> = (0..1_000)
        .map(|number| {
            let mut record = album(number, if number % 2 == 0 { "Jazz" } else { "Folk" });
            record["dynamodb"]["NewImage"]["note"] = json!({"S": "n".repeat(note_bytes)});
            record
        })
        .collect();
    let mut event = batch(&records);
    assert!((EVENT_BYTES_MAX - 100_000..EVENT_BYTES_MAX).contains(&event.len()), "{}", event.len());
    event.push_str(&" ".repeat(EVENT_BYTES_MAX - event.len()));
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(failed(&response), [""; 0]);
    for genre in ["Jazz", "Folk"] {
        assert_eq!(deployment.count(genre).await.as_deref(), Some("500"));
    }
}

/// DynamoDB takes the batch's requests and never answers them, so that nothing but the deadline can end
/// the batch: the client would send a request again before it gave up. What needs no request is done,
/// and all else is reported.
async fn check_deadline_of_200_ms(hold: Hold) {
    let deployment = Deployment::new().await;
    let call = Moment::Called(hold.operation.to_owned());
    let call_count_max = hold.answered_count + 1;
    let (mut function, _dynamodb) = deployment.start(Some(hold)).await;
    let records = [message(1, "REMOVE", "g", "t1", ""), album(2, "Jazz"), album(3, "Jazz")];
    let event = batch(&records);
    let response = function.invoke_within(&event, Duration::from_millis(200)).await;
    let expected = ["100000000000000000002", "100000000000000000003"];
    assert_eq!(failed(&response.expect("a response")), expected);
    assert!(function.journal().count(&call) <= call_count_max, "a request was sent again");
    let stdout = function.terminate().await.stdout;
    let is_told = |line: &&String| line.contains("part of a batch could not be applied");
    let told: Vec<_> = stdout.iter().filter(is_told).collect();
    let reason = StoreError::TimeOver.to_string();
    assert!(!told.is_empty() && told.iter().all(|line| line.contains(&reason)), "{stdout:?}");
    assert_eq!(deployment.count("Jazz").await, None);

    let (mut function, _dynamodb) = deployment.start(None).await;
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(failed(&response), [""; 0]);
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("2"));
}

#[tokio::test]
async fn a_read_without_an_answer_ends_by_the_deadline() {
    // The first one is the start's, the second one the registry's.
    let at = HoldAt::Request;
    Box::pin(check_deadline_of_200_ms(Hold { operation: "BatchGetItem", answered_count: 2, at }))
        .await;
}

#[tokio::test]
async fn a_commit_without_an_answer_ends_by_the_deadline() {
    let at = HoldAt::Request;
    Box::pin(check_deadline_of_200_ms(Hold {
        operation: "TransactWriteItems",
        answered_count: 0,
        at,
    }))
    .await;
}

#[tokio::test]
async fn a_table_of_the_environment_that_no_view_reads_is_skipped_and_any_other_is_parked() {
    let deployment = Deployment::new().await;
    let dynamodb =
        DynamoDbProxy::start(&deployment.tables.endpoint_url(), deployment.tables.names()).await;
    let mut variables = deployment.deployed.environment(deployment.tables.names());
    variables.insert("RETURNS_TABLE".to_owned(), "afterimage-returns".to_owned());
    let mut function = Function::start(&program(), &[], &variables, &dynamodb).await;
    function.ready().await;
    let image = json!({ "id": {"S": "1"} });
    for (number, table) in [(1, "returns"), (2, "others")] {
        let table = table.parse().expect("a table");
        let event = batch(&[record(&table, number, "INSERT", &["id"], &image)]);
        let response = function.invoke(&event).await.expect("a response");
        assert_eq!(failed(&response), [""; 0]);
    }
    let lines = function.terminate().await.log();
    let wide = lines.iter().filter(|it| it["message"] == "batch processed");
    let outcomes: Vec<_> = wide.map(|line| line["outcomes"].clone()).collect();
    assert_eq!(outcomes, [json!({ "-": { "skipped": 1 } }), json!({ "-": { "parked": 1 } })]);
}
