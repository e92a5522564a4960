//! The events of `events/api` that go to the albums Lambdas.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::gateway::{Answer, Gateway};

/// The status, and a text in the body, that each event is answered with over the sample albums.
const EXPECTED: [(&str, u16, &str); 6] = [
    ("add-album", 201, r#""Artist":"Sigur Rós""#),
    ("delete-album", 204, ""),
    ("list-albums", 200, r#""cursor":""#),
    ("list-albums-by-genre", 200, r#""Album":"Time Out""#),
    ("list-genres", 200, r#"{"genres":[]}"#),
    ("update-album", 200, r#""Genre":"Hard Rock""#),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/api")
}

#[tokio::test]
async fn every_event_is_answered() {
    for (name, status, part) in EXPECTED {
        let answer = answered(name, None).await;
        assert_eq!(answer.status, status, "{name}: {}", answer.text);
        assert!(answer.text.contains(part), "{name}: {}", answer.text);
    }
}

/// The answer to an event, from a page of this origin if there is one.
async fn answered(name: &str, origin: Option<&str>) -> Answer {
    let gateway = Gateway::with_sample().await;
    let event = fs::read(folder().join(format!("{name}.json"))).expect("an event");
    let mut event: Value = serde_json::from_slice(&event).expect("JSON");
    if let Some(origin) = origin {
        event["headers"]["origin"] = origin.into();
    }
    let request = lambda_http::request::from_str(&event.to_string()).expect("an HTTP API event");
    gateway.send(request).await
}

/// Which origins may call is API Gateway's to say, by the template's `CorsConfiguration`.
#[tokio::test]
async fn pages_of_every_origin_get_the_same_answer() {
    for (name, ..) in EXPECTED {
        let expected = answered(name, None).await;
        for origin in ["https://app.example.com", "null"] {
            answered(name, Some(origin)).await.is(expected.status, &expected.text);
        }
    }
}

/// The files of this application are those whose path is `/api/albums` or `/api/genres`; the test of
/// the messages application takes all others.
#[test]
fn every_file_is_expected() {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder()).expect("events/api") {
        let path = entry.expect("an entry").path();
        let event: Value = serde_json::from_slice(&fs::read(&path).expect("a file")).expect("JSON");
        if matches!(event["rawPath"].as_str(), Some("/api/albums" | "/api/genres")) {
            found.push(path.file_stem().expect("a name").to_string_lossy().into_owned());
        }
    }
    found.sort();
    assert_eq!(found, EXPECTED.map(|(name, _, _)| name));
}
