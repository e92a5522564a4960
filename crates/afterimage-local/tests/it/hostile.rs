//! Requests that no well-meaning client sends, over loopback: each is refused with its status, and harms
//! no other.

mod bodies;
mod cursors;
mod heads;
mod paths;
mod tokens;

use afterimage::Views;
use afterimage_local::{Callers, Options, Stack, Storage};
use serde_json::{Value, json};
use testkit::dynamodb::product_names;

use crate::http::{Answer, post, send};

/// The samples, and no trigger.
fn options(storage: Storage) -> Options {
    Options {
        http_port: 0,
        dynamodb_port: 0,
        callers: Callers::default(),
        storage,
        seed: true,
        trigger: false,
        views: Views::compiled_in().expect("views"),
        names: product_names(),
    }
}

async fn stack() -> Stack {
    Box::pin(Stack::start(options(Storage::Memory))).await.expect("started")
}

/// `Bearer …` of somebody.
async fn bearer(url: &str, handle: &str) -> String {
    let answer = post(url, "/local/token", &json!({ "handle": handle })).await.json();
    format!("Bearer {}", answer["token"].as_str().expect("a token"))
}

async fn get_as(url: &str, bearer: &str, path: &str) -> Answer {
    send(url, &format!("GET {path}"), &[("Authorization", bearer)], b"").await
}

/// The status, and the stable code or the gateway's own sentence.
#[track_caller]
fn check(answer: &Answer, status: u16, refusal: &str, what: &str) {
    let body = if answer.body.is_empty() { Value::Null } else { answer.json() };
    let found = body["error"].as_str().or(body["message"].as_str()).unwrap_or_default();
    assert_eq!((answer.status, found), (status, refusal), "{what}: {}", answer.body);
    // Ours has a code and a sentence, the gateway's a sentence alone.
    let parts = body.as_object().map_or(0, serde_json::Map::len);
    let is_ours =
        !refusal.is_empty() && refusal.bytes().all(|it| it.is_ascii_lowercase() || it == b'_');
    assert_eq!(parts, if refusal.is_empty() { 0 } else { 1 + usize::from(is_ours) }, "{what}");
}
