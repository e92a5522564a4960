//! Starting a conversation.

use serde_json::json;

use crate::gateway::{ADA, Gateway, LIN, NOW, SAM};

fn body(text: &str, handle: &str) -> String {
    json!({ "message": text, "handle": handle }).to_string()
}

#[tokio::test]
async fn the_message_and_both_rows_are_put() {
    let gateway = Gateway::with_sample().await;
    let before = gateway.items("").await.len();
    let answer = gateway.post(ADA, &body("hello Sam", "sam-demo")).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    let stored = answer.json();
    let group = stored["message_group_uuid"].as_str().expect("a group");
    assert_eq!(stored["pk"], format!("MSG#{group}"));
    assert_eq!((&stored["sk"], &stored["user_handle"]), (&json!(NOW), &json!("ada-demo")));
    let items = gateway.items("").await;
    assert_eq!(items.len(), before + 4);
    let row = |owner: &str| json!(items[&format!("GRP#{owner} {NOW}")]);
    let expected = |user: &str, handle: &str, name: &str| {
        json!({ "message_group_uuid": group, "message": "hello Sam", "user_uuid": user,
                "user_handle": handle, "user_display_name": name })
    };
    assert_eq!(row(ADA), expected(SAM, "sam-demo", "Sam (demo)"));
    assert_eq!(row(SAM), expected(ADA, "ada-demo", "Ada (demo)"));
    let reply = json!({ "message": "hello Ada", "message_group_uuid": group }).to_string();
    assert_eq!(gateway.post(SAM, &reply).await.status, 201);
    gateway.post(LIN, &reply).await.is_error(403, "not_a_member");
}

#[tokio::test]
async fn a_taken_row_leads_to_the_next_microsecond() {
    let gateway = Gateway::with_sample().await;
    let sk = |answer: crate::gateway::Answer| answer.json()["sk"].as_str().map(str::to_owned);
    let at = |micros: u32| Some(format!("2026-03-01T09:00:00.{micros:06}+00:00"));
    assert_eq!(sk(gateway.post(ADA, &body("one", "sam-demo")).await), at(0));
    assert_eq!(sk(gateway.post(ADA, &body("two", "sam-demo")).await), at(1));
    assert_eq!(sk(gateway.post(LIN, &body("sam's row is taken", "sam-demo")).await), at(2));
    assert_eq!(gateway.items("GRP#").await.len(), 5 + 6);
}

#[tokio::test]
async fn handles_are_looked_up() {
    let gateway = Gateway::with_sample().await;
    gateway.post(ADA, &body("hello", "nobody")).await.is_error(404, "unknown_handle");
    gateway.post(ADA, &body("hello", "SAM-demo")).await.is_error(404, "unknown_handle");
    gateway.post(ADA, &body("hello me", "ada-demo")).await.is_error(400, "own_handle");
    let stranger = "a0a0a0a0-0000-4000-8000-00000000ffff";
    gateway.post(stranger, &body("hello", "ada-demo")).await.is_error(403, "no_profile");
    gateway.put(&[("pk", "HANDLE#ghost"), ("sk", "HANDLE"), ("user_uuid", stranger)]).await;
    gateway.post(ADA, &body("boo", "ghost")).await.is_error(500, "internal");
}

#[tokio::test]
async fn the_same_start_again_starts_nothing() {
    let gateway = Gateway::with_sample().await;
    let with = |text: &str, handle: &str| {
        let uuid = "d0d0d0d0-0000-4000-8000-000000000009";
        json!({ "message": text, "handle": handle, "message_uuid": uuid }).to_string()
    };
    let first = gateway.post(ADA, &with("hello", "sam-demo")).await;
    let before = gateway.items("").await;
    gateway.post(ADA, &with("hello", "sam-demo")).await.is(201, first.json());
    gateway.post(ADA, &with("hello", "lin-demo")).await.is_error(409, "message_uuid_taken");
    gateway.post(ADA, &with("bye", "sam-demo")).await.is_error(409, "message_uuid_taken");
    gateway.post(LIN, &with("hello", "sam-demo")).await.is_error(409, "message_uuid_taken");
    assert_eq!(gateway.items("").await, before);
}
