//! The events of `events/api` that go to the messages Lambdas.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::gateway::Gateway;

/// The status, and a text in the body, that each event is answered with over the sample conversations.
const EXPECTED: [(&str, u16, &str); 4] = [
    ("continue-conversation", 201, r#""user_handle":"ada-demo""#),
    ("list-message-groups", 200, r#""user_handle":"lin-demo""#),
    ("list-messages", 200, "Mint. And leave room on the shelf."),
    ("start-conversation", 201, r#""message_uuid":"d0d0d0d0-0000-4000-8000-000000000002""#),
];

/// The event of the Cognito trigger.
const TRIGGER: &str = "post-confirmation";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/api")
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(format!("{name}.json"))).expect("an event")
}

#[tokio::test]
async fn every_event_is_answered() {
    for (name, status, part) in EXPECTED {
        // Which origins may call is API Gateway's to say, by the template's `CorsConfiguration`.
        for origin in [None, Some("https://app.example.com"), Some("null")] {
            let gateway = Gateway::with_sample().await;
            let mut event: Value = serde_json::from_str(&text(name)).expect("JSON");
            if let Some(origin) = origin {
                event["headers"]["origin"] = origin.into();
            }
            let request = lambda_http::request::from_str(&event.to_string());
            let answer = gateway.send(request.expect("an HTTP API event")).await;
            assert_eq!(answer.status, status, "{name}: {}", answer.text);
            assert!(answer.text.contains(part), "{name}: {}", answer.text);
        }
    }
}

#[tokio::test]
async fn the_trigger_is_answered_with_its_event() {
    let gateway = Gateway::with_sample().await;
    let event = serde_json::from_str(&text(TRIGGER)).expect("an event");
    let answer = messages::post_confirmation(&gateway.messages, event).await.expect("the event");
    let sent: Value = serde_json::from_str(&text(TRIGGER)).expect("JSON");
    let mut answer = serde_json::to_value(answer).expect("JSON");
    let metadata = answer["request"].as_object_mut().and_then(|it| it.remove("clientMetadata"));
    assert_eq!((answer, metadata), (sent, Some(Value::Object(serde_json::Map::new()))));
    let profile = messages::ensure_profile(&gateway.messages, "kim-demo").await.expect("a profile");
    assert_eq!(profile.user_display_name, "Kim (demo)");
}

/// All files but those that the test of the albums application takes.
#[test]
fn every_file_is_expected() {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder()).expect("events/api") {
        let path = entry.expect("an entry").path();
        let event: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        if !matches!(event["rawPath"].as_str(), Some("/api/albums" | "/api/genres")) {
            found.push(path.file_stem().expect("a name").to_string_lossy().into_owned());
        }
    }
    found.sort();
    let mut expected: Vec<&str> = EXPECTED.iter().map(|(name, _, _)| *name).collect();
    expected.push(TRIGGER);
    expected.sort_unstable();
    assert_eq!(found, expected);
}
