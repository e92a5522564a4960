//! Posting to a group that is there.

use futures::future::join_all;
use serde_json::json;

use crate::gateway::{ADA, Gateway, LIN, NOW, SAM, THREE, TWO, request};

fn body(text: &str, group_uuid: &str) -> String {
    json!({ "message": text, "message_group_uuid": group_uuid }).to_string()
}

#[tokio::test]
async fn a_message_is_stored_and_returned() {
    let gateway = Gateway::with_sample().await;
    let uuid = "D0D0D0D0-0000-4000-8000-000000000009";
    let body =
        json!({ "message": "héllo \"you\"", "message_group_uuid": TWO, "message_uuid": uuid });
    let rows = gateway.items("GRP#").await;
    gateway.post(ADA, &body.to_string()).await.is(
        201,
        json!({
            "pk": format!("MSG#{TWO}"), "sk": NOW, "message": "héllo \"you\"",
            "message_uuid": uuid.to_lowercase(), "message_group_uuid": TWO,
            "user_uuid": ADA, "user_handle": "ada-demo", "user_display_name": "Ada (demo)",
        }),
    );
    let stored = gateway.items("MSG#").await;
    let stored = &stored[&format!("MSG#{TWO} {NOW}")];
    let names: Vec<&str> = stored.keys().map(String::as_str).collect();
    assert_eq!(names, ["message", "message_uuid", "user_display_name", "user_handle", "user_uuid"]);
    assert_eq!(gateway.items("GRP#").await, rows, "rows are the engine's to move");
    let ids = gateway.items("MSGID#").await;
    assert!(ids.values().all(|id| !id.contains_key("message_group_uuid")), "kept out of the index");
}

#[tokio::test]
async fn a_taken_key_leads_to_the_next_microsecond() {
    let gateway = Gateway::with_sample().await;
    for expected in ["000000", "000001", "000002"] {
        let answer = gateway.post(LIN, &body("same time", TWO)).await;
        assert_eq!(answer.json()["sk"], format!("2026-03-01T09:00:00.{expected}+00:00"));
    }
    assert_eq!(gateway.post(LIN, &body("another group", THREE)).await.json()["sk"], NOW);
}

#[tokio::test]
async fn messages_of_one_moment_all_get_a_key() {
    let gateway = Gateway::with_sample().await;
    let bodies: Vec<String> = (0..20).map(|index| body(&format!("m{index}"), TWO)).collect();
    let answers = join_all(bodies.iter().map(|body| gateway.post(ADA, body))).await;
    let mut keys: Vec<String> = answers
        .iter()
        .map(|answer| {
            assert_eq!(answer.status, 201, "{}", answer.text);
            answer.json()["sk"].as_str().expect("a key").to_owned()
        })
        .collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 20);
}

#[tokio::test]
async fn tries_end() {
    let gateway = Gateway::with_sample().await;
    for micros in 0..64 {
        let sk = format!("2026-03-01T09:00:00.{micros:06}+00:00");
        gateway.put(&[("pk", &format!("MSG#{TWO}")), ("sk", &sk), ("message", "x")]).await;
    }
    gateway.post(ADA, &body("too late", TWO)).await.is_error(503, "unavailable");
}

#[tokio::test]
async fn the_same_request_again_changes_nothing() {
    let gateway = Gateway::with_sample().await;
    let uuid = "d0d0d0d0-0000-4000-8000-000000000009";
    let with = |text: &str, group: &str, uuid: &str| {
        json!({ "message": text, "message_group_uuid": group, "message_uuid": uuid }).to_string()
    };
    let first = gateway.post(ADA, &with("once", TWO, uuid)).await;
    assert_eq!(first.status, 201);
    let before = gateway.items("").await;
    let again =
        join_all((0..5).map(|_| async { gateway.post(ADA, &with("once", TWO, uuid)).await }));
    for answer in again.await {
        answer.is(201, first.json());
    }
    gateway.post(ADA, &with("once", TWO, &uuid.to_uppercase())).await.is(201, first.json());
    gateway.post(ADA, &with("twice", TWO, uuid)).await.is_error(409, "message_uuid_taken");
    gateway.post(LIN, &with("once", TWO, uuid)).await.is_error(409, "message_uuid_taken");
    gateway.post(ADA, &with("once", THREE, uuid)).await.is_error(409, "message_uuid_taken");
    let start =
        json!({ "message": "once", "handle": "lin-demo", "message_uuid": uuid }).to_string();
    gateway.post(ADA, &start).await.is_error(409, "message_uuid_taken");
    assert_eq!(gateway.items("").await, before);
    gateway.delete(&format!("MSG#{TWO}"), NOW).await;
    gateway.post(ADA, &with("once", TWO, uuid)).await.is_error(409, "message_deleted");
    gateway.post(ADA, &body("in its place", TWO)).await;
    gateway.post(ADA, &with("once", TWO, uuid)).await.is_error(409, "message_deleted");
}

#[tokio::test]
async fn requests_sent_at_once_with_one_uuid_post_one_message() {
    let gateway = Gateway::with_sample().await;
    let body = json!({ "message": "hello", "handle": "sam-demo", "message_uuid": "d0d0d0d0-0000-4000-8000-000000000009" });
    let body = body.to_string();
    let count = gateway.items("").await.len();
    let answers = join_all((0..8).map(|_| gateway.post(ADA, &body))).await;
    for answer in &answers {
        answer.is(201, answers[0].json());
    }
    assert_eq!(gateway.items("").await.len(), count + 4);
}

#[tokio::test]
async fn only_members_post() {
    let gateway = Gateway::with_sample().await;
    gateway.post(SAM, &body("let me in", TWO)).await.is_error(403, "not_a_member");
    for nowhere in ["c0c0c0c0-0000-4000-8000-00000000ffff", "c0", &"g".repeat(1000)] {
        gateway.post(ADA, &body("anybody?", nowhere)).await.is_error(403, "not_a_member");
    }
    let stranger = "a0a0a0a0-0000-4000-8000-00000000ffff";
    gateway.post(stranger, &body("hello", TWO)).await.is_error(403, "no_profile");
    let request = request("POST", "/api/messages", "", &body("hello", TWO), None);
    gateway.send(request).await.is_error(401, "unauthorized");
}

#[tokio::test]
async fn bodies_that_are_no_messages_are_refused() {
    let gateway = Gateway::with_sample().await;
    let before = gateway.items("").await;
    let long = body(&"x".repeat(messages::MESSAGE_BYTES_MAX + 1), TWO);
    for body in [
        "",
        "[]",
        r#"{"message": "x"}"#,
        r#"{"message_group_uuid": "c0c0c0c0-0000-4000-8000-000000000001"}"#,
        r#"{"message": "x", "handle": "lin-demo", "message_group_uuid": "c0c0c0c0-0000-4000-8000-000000000001"}"#,
        r#"{"message": "x", "message_group_uuid": ""}"#,
        r#"{"message": "x", "message_group_uuid": null}"#,
        &body("x", &"g".repeat(1001)),
        r#"{"message": "", "handle": "lin-demo"}"#,
        r#"{"message": " \n ", "handle": "lin-demo"}"#,
        r#"{"message": 3, "handle": "lin-demo"}"#,
        r#"{"message": "x", "handle": ""}"#,
        r#"{"message": "x", "handle": "lin demo"}"#,
        r#"{"message": "x", "handle": "lin-demo", "message_uuid": "1"}"#,
        r#"{"message": "x", "handle": "lin-demo", "message_uuid": 1}"#,
        r#"{"message": "x", "handle": "lin-demo", "pinned": true}"#,
        &long,
    ] {
        gateway.post(ADA, body).await.is_error(400, "invalid_body");
    }
    assert_eq!(gateway.items("").await, before);
    let longest = body(&"x".repeat(messages::MESSAGE_BYTES_MAX), TWO);
    assert_eq!(gateway.post(ADA, &longest).await.status, 201);
    let query = request("POST", "/api/messages", "x=1", &longest, Some(ADA));
    gateway.send(query).await.is_error(400, "invalid_parameter");
}
