//! `replay`, and the stream events that ship with the product.

use std::collections::BTreeMap;
use std::path::Path;

use embedded_dynamodb::Emulator;
use expect_test::{Expect, expect};
use serde_json::Value;
use testkit::dynamodb::{product_names, product_tables};

use crate::program::{check, repository, run};

async fn emulator() -> Emulator {
    let emulator = Emulator::in_memory().await.expect("an emulator");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("tables");
    emulator
}

/// Replays files onto empty tables, and compares the outcomes, file by file.
#[track_caller]
fn check_outcomes(endpoint: &str, paths: &[&str], expected: &Expect) {
    let arguments = [&["replay", "--output", "json", "--endpoint", endpoint], paths].concat();
    let run = run(&arguments);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).expect("a report");
    let mut outcomes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for record in report["records"].as_array().expect("records") {
        let file = Path::new(record["file"].as_str().expect("a file")).file_name();
        let file = file.and_then(|name| name.to_str()).expect("a name");
        outcomes.entry(file).or_default().push(record["outcome"].as_str().expect("an outcome"));
    }
    let lines: Vec<String> = outcomes
        .iter()
        .map(|(file, outcomes)| format!("{file}: {}\n", outcomes.join(" ")))
        .collect();
    expected.assert_eq(&lines.concat());
}

/// All items of all tables, as text.
fn tables(endpoint: &str) -> String {
    ["albums", "messages", "derived"]
        .map(|table| run(&["scan", table, "--output", "json", "--endpoint", endpoint]).stdout)
        .concat()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_accepted() {
    let emulator = emulator().await;
    check_outcomes(
        &emulator.endpoint_url(),
        &["events/stream"],
        &expect![[r#"
            album-genre-change.json: applied
            album-insert.json: duplicate applied
            album-removal.json: applied
            group-row-insert.json: skipped
            message-edit-newest.json: applied
            message-edit-older.json: stale
            message-insert.json: duplicate
            records-out-of-order.json: applied coalesced coalesced
            remove.json: skipped
            same-record-twice.json: applied coalesced
            several-groups-in-one-batch.json: coalesced skipped skipped duplicate coalesced skipped duplicate stale
            ttl-remove.json: skipped
            undecodable-record.json: applied parked applied
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn events_in_the_order_of_the_stream_are_applied() {
    let emulator = emulator().await;
    check_outcomes(
        &emulator.endpoint_url(),
        &[
            "events/stream/album-insert.json",
            "events/stream/album-genre-change.json",
            "events/stream/album-removal.json",
            "events/stream/message-insert.json",
            "events/stream/message-edit-newest.json",
        ],
        &expect![[r#"
            album-genre-change.json: applied
            album-insert.json: applied applied
            album-removal.json: applied
            message-edit-newest.json: applied
            message-insert.json: applied
        "#]],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_and_a_reversed_replay_change_nothing() {
    let emulator = emulator().await;
    let endpoint = emulator.endpoint_url();
    let replay = |more: &[&str]| {
        let run = run(&[&["replay", "events/stream", "--endpoint", &endpoint], more].concat());
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        tables(&endpoint)
    };
    let first = replay(&[]);
    assert!(!first.is_empty(), "the first replay wrote nothing");
    let second = replay(&[]);
    let third = replay(&["--reverse"]);
    assert_eq!(first, second);
    assert_eq!(second, third);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_on_failure_record_is_replayed_and_its_units_are_counted() {
    let emulator = emulator().await;
    let event = std::fs::read_to_string(repository().join("events/stream/album-insert.json"));
    let record = serde_json::json!({ "version": "1.0", "payload": event.expect("an event") });
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("undelivered.json"), record.to_string()).expect("a file");
    let path = folder.path().to_str().expect("UTF-8");
    let endpoint = emulator.endpoint_url();
    check_outcomes(
        &endpoint,
        &[path],
        &expect![[r#"
        undelivered.json: applied applied
    "#]],
    );
    let again = run(&["replay", path, "--endpoint", &endpoint]);
    let end: Vec<&str> = again.stdout.lines().rev().take(2).collect();
    assert_eq!(
        end,
        ["consumed: 0 write units (0.00 per record), 2 read units", "total: 2 duplicate"]
    );
    let json = run(&["replay", path, "--endpoint", &endpoint, "--output", "json"]);
    let report: Value = serde_json::from_str(&json.stdout).expect("a report");
    assert_eq!(report["consumed"]["write_units_per_record"], 0.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_stream_events_are_named() {
    let emulator = emulator().await;
    check(
        &emulator.endpoint_url(),
        &["replay", "schema/albums.json", "absent.json", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 1
            on standard error:
            error: schema/albums.json is a JSON object with `AttributeDefinitions`, `BillingMode`, `GlobalSecondaryIndexes`, `KeySchema`, `StreamSpecification` and more
              next: give a file with records of a DynamoDB stream: an event as Lambda delivers it, an answer of GetRecords, a list of records, or an on-failure record with its `payload`; what the on-failure queue holds is read with --undelivered
            error: the file absent.json cannot be read
              because: No such file or directory (os error 2)
        "#]],
    );
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let run = run(&["replay", path, "--endpoint", &emulator.endpoint_url()]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("holds no *.json"), "{}", run.stderr);
}

#[test]
fn the_same_change_is_the_same_record_in_every_file() {
    let mut records: BTreeMap<(String, String), Value> = BTreeMap::new();
    let folder = repository().join("events/stream");
    for entry in std::fs::read_dir(folder).expect("the events") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a file");
        let event: Value = serde_json::from_str(&text).expect("JSON");
        for record in event["Records"].as_array().expect("records") {
            let stream = record["eventSourceARN"].to_string();
            let sequence_number = record["dynamodb"]["SequenceNumber"].to_string();
            let known = records.entry((stream, sequence_number)).or_insert_with(|| record.clone());
            assert_eq!(known, record, "{}", path.display());
        }
    }
}
