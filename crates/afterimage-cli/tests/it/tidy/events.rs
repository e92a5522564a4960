//! `events/`.

use aws_lambda_events::apigw::ApiGatewayV2httpRequest;
use aws_lambda_events::cognito::CognitoEventUserPoolsPostConfirmation;
use aws_lambda_events::dynamodb::{Event, EventRecord};
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

/// A record of an attribute type that there is not, among good ones: what a processor parks.
const UNDECODABLE: &str = "events/stream/undecodable-record.json";

/// What Lambda sends to a destination when it gives a batch up has no type in `aws_lambda_events`.
const WITHOUT_TYPE: &str = "events/on-failure/undelivered-batch.json";

#[test]
fn every_event_is_one_of_aws_lambda_events() {
    let (mut undecodable, mut without_type) = (0, 0);
    for path in files("events") {
        let event: Value = serde_json::from_str(&text(&path)).expect("JSON");
        match path.as_str() {
            UNDECODABLE => {
                undecodable += 1;
                let records = event["Records"].as_array().expect("records").iter();
                let read =
                    records.map(|it| serde_json::from_value::<EventRecord>(it.clone()).is_ok());
                assert_eq!(read.collect::<Vec<_>>(), [true, false, true]);
            }
            WITHOUT_TYPE => without_type += 1,
            "events/api/post-confirmation.json" => check_confirmation(&path, &event),
            _ if path.starts_with("events/api/") => check_request(&path, &event),
            _ if path.starts_with("events/stream/") => check_batch(&path, &event),
            _ => panic!("{path}: of which type is it?"),
        }
    }
    assert_eq!((undecodable, without_type), (1, 1));
}

fn read<T: serde::de::DeserializeOwned>(path: &str, event: &Value) -> T {
    serde_json::from_value(event.clone()).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[track_caller]
fn check_confirmation(path: &str, event: &Value) {
    let read: CognitoEventUserPoolsPostConfirmation = read(path, event);
    let header = read.cognito_event_user_pools_header;
    assert_eq!(header.user_name.as_deref(), event["userName"].as_str(), "{path}");
    let attributes = event["request"]["userAttributes"].as_object().expect("attributes");
    assert_eq!(read.request.user_attributes.len(), attributes.len(), "{path}");
}

#[track_caller]
fn check_request(path: &str, event: &Value) {
    let read: ApiGatewayV2httpRequest = read(path, event);
    let context = &event["requestContext"];
    assert_eq!(read.version.as_deref(), Some("2.0"), "{path}");
    assert_eq!(read.raw_path.as_deref(), context["http"]["path"].as_str(), "{path}");
    let method = read.request_context.http.method;
    assert_eq!(Some(method.as_str()), context["http"]["method"].as_str(), "{path}");
    assert_eq!(read.request_context.route_key.as_deref(), event["routeKey"].as_str(), "{path}");
    assert_eq!(read.body.as_deref(), event["body"].as_str(), "{path}");
}

#[track_caller]
fn check_batch(path: &str, event: &Value) {
    let read: Event = read(path, event);
    let records = event["Records"].as_array().expect("records");
    assert_eq!(read.records.len(), records.len(), "{path}");
    for (read, record) in read.records.iter().zip(records) {
        let written = serde_json::to_value(&read.change).expect("JSON");
        for name in ["Keys", "SequenceNumber", "SizeBytes", "StreamViewType"] {
            assert_eq!(written[name], record["dynamodb"][name], "{path}: {name}");
        }
        let image = record["dynamodb"].get("NewImage");
        assert_eq!(Some(&written["NewImage"]), image.or(Some(&serde_json::json!({}))), "{path}");
        assert_eq!(read.event_source_arn.as_deref(), record["eventSourceARN"].as_str(), "{path}");
    }
}
