//! `events/`.

use serde_json::Value;

use super::{files, text, text_if_there};

#[test]
fn every_event_parses_and_is_used() {
    let tests: String = files("crates")
        .iter()
        .filter(|path| path.ends_with(".rs") && path.contains("/tests/"))
        .filter_map(|path| text_if_there(path))
        .collect();
    let events: Vec<String> =
        files("events").into_iter().filter(|path| path.ends_with(".json")).collect();
    assert!(!events.is_empty());
    for event in events {
        let parsed: Result<Value, _> = serde_json::from_str(&text(&event));
        assert!(parsed.is_ok_and(|it| it.is_object()), "{event} is no JSON object");
        let name = event.rsplit('/').next().expect("a name");
        let quoted_stem = format!("\"{}\"", name.trim_end_matches(".json"));
        let is_named = tests.contains(name) || tests.contains(&quoted_stem);
        assert!(is_named, "no test names {event}");
    }
}

#[test]
fn stream_events_look_as_lambda_delivers_them() {
    for path in files("events/stream") {
        let event: Value = serde_json::from_str(&text(&path)).expect("JSON");
        for record in event["Records"].as_array().expect("records") {
            let change = &record["dynamodb"];
            let sequence_number = change["SequenceNumber"].as_str().expect("a sequence number");
            // https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html
            assert!((21..=40).contains(&sequence_number.len()), "{path}: {sequence_number}");
            assert!(change["ApproximateCreationDateTime"].is_u64(), "{path}: whole seconds");
            assert_eq!(change["StreamViewType"], "NEW_IMAGE", "{path}");
            assert_eq!(change["NewImage"].is_null(), record["eventName"] == "REMOVE", "{path}");
            let stream = record["eventSourceARN"].as_str().expect("a stream");
            assert!(stream.contains("/stream/2026-01-01T00:00:00.000"), "{path}: {stream}");
        }
    }
}
