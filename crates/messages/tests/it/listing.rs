//! Listing groups and messages.

use serde_json::json;

use crate::gateway::{ADA, Answer, Gateway, LIN, SAM, THREE, TWO, request};

fn cursor(answer: &Answer) -> String {
    answer.json()["cursor"].as_str().expect("a cursor").to_owned()
}

#[tokio::test]
async fn groups_come_newest_first_with_every_attribute() {
    let gateway = Gateway::with_sample().await;
    let sk = "2027-01-01T00:00:00.000000+00:00#c0c0c0c0-0000-4000-8000-00000000000f";
    let row = [
        ("pk", &*format!("GRP#{SAM}")),
        ("sk", sk),
        ("message_group_uuid", "x"),
        ("pinned", "yes"),
    ];
    gateway.put(&row).await;
    gateway.groups(SAM, "").await.is(
        200,
        json!({ "message_groups": [
            { "pk": format!("GRP#{SAM}"), "sk": sk, "message_group_uuid": "x", "pinned": "yes" },
            { "pk": format!("GRP#{SAM}"), "sk": "2026-02-27T08:15:21.700042+00:00",
              "message_group_uuid": THREE, "user_uuid": ADA, "user_handle": "ada-demo",
              "message": "Registered. Table 9, doors open at half past seven.",
              "user_display_name": "Ada (demo)" },
        ]}),
    );
    let first = gateway.groups(SAM, "limit=1").await;
    assert_eq!(first.all("message_groups", "sk"), [sk]);
    let second = gateway.groups(SAM, &format!("limit=1&cursor={}", cursor(&first))).await;
    assert_eq!(second.all("message_groups", "message_group_uuid"), [THREE]);
    assert!(second.json().get("cursor").is_none());
    gateway
        .groups("a0a0a0a0-0000-4000-8000-00000000ffff", "")
        .await
        .is(200, json!({ "message_groups": [] }));
}

#[tokio::test]
async fn messages_come_newest_page_first_in_reading_order() {
    let gateway = Gateway::with_sample().await;
    let all = gateway.list(ADA, TWO, "").await;
    let keys = all.all("messages", "sk");
    assert_eq!(keys.len(), 7);
    assert!(keys.is_sorted() && all.json().get("cursor").is_none());
    assert_eq!(all.all("messages", "message_group_uuid"), vec![TWO; 7]);
    let first = gateway.list(ADA, TWO, "limit=3").await;
    assert_eq!(first.all("messages", "sk"), keys[4..]);
    let second = gateway.list(LIN, TWO, &format!("limit=3&cursor={}", cursor(&first))).await;
    assert_eq!(second.all("messages", "sk"), keys[1..4]);
    let third = gateway.list(ADA, TWO, &format!("limit=3&cursor={}", cursor(&second))).await;
    assert_eq!(third.all("messages", "sk"), keys[..1]);
    assert!(third.json().get("cursor").is_none());
}

#[tokio::test]
async fn a_page_of_long_messages_fits_an_answer() {
    let gateway = Gateway::with_sample().await;
    let text = "\u{1}".repeat(messages::MESSAGE_BYTES_MAX);
    for index in 0..30 {
        let sk = format!("2026-03-01T09:00:00.{index:06}+00:00");
        gateway.put(&[("pk", &format!("MSG#{TWO}")), ("sk", &sk), ("message", &text)]).await;
    }
    let first = gateway.list(ADA, TWO, "limit=1000").await;
    assert!(first.text.len() < 6_000_000, "{}", first.text.len());
    let second = gateway.list(ADA, TWO, &format!("limit=1000&cursor={}", cursor(&first))).await;
    let count = |answer: &Answer| answer.all("messages", "sk").len();
    assert_eq!(count(&first) + count(&second), 37);
}

#[tokio::test]
async fn only_members_read() {
    let gateway = Gateway::with_sample().await;
    gateway.list(SAM, TWO, "").await.is_error(403, "not_a_member");
    for nowhere in ["c0c0c0c0-0000-4000-8000-00000000ffff", "x", &"g".repeat(1000)] {
        gateway.list(ADA, nowhere, "").await.is_error(403, "not_a_member");
    }
    gateway.list(ADA, &"g".repeat(1001), "").await.is_error(400, "invalid_parameter");
    for path in ["/api/message_groups".to_owned(), format!("/api/messages/{TWO}")] {
        let request = request("GET", &path, "", "", None);
        gateway.send(request).await.is_error(401, "unauthorized");
    }
}

#[tokio::test]
async fn a_group_of_another_client_may_have_any_id() {
    let gateway = Gateway::with_sample().await;
    let row = [
        ("pk", &*format!("GRP#{ADA}")),
        ("sk", "2027-01-01T00:00:00.000000+00:00"),
        ("message_group_uuid", "team-7"),
    ];
    gateway.put(&row).await;
    let body = json!({ "message": "hello", "message_group_uuid": "team-7" }).to_string();
    assert_eq!(gateway.post(ADA, &body).await.status, 201);
    let listed = gateway.list(ADA, "team-7", "").await;
    assert_eq!(listed.all("messages", "message"), ["hello"]);
}

#[tokio::test]
async fn membership_is_found_behind_many_rows() {
    let gateway = Gateway::with_sample().await;
    let text = "x".repeat(messages::MESSAGE_BYTES_MAX);
    for index in 0..70 {
        let sk = format!("2025-03-01T09:00:00.{index:06}+00:00");
        let row = [
            ("pk", &*format!("GRP#{SAM}")),
            ("sk", &sk),
            ("message_group_uuid", "x"),
            ("message", &text),
        ];
        gateway.put(&row).await;
    }
    assert_eq!(gateway.list(SAM, THREE, "").await.status, 200);
    gateway.list(SAM, TWO, "").await.is_error(403, "not_a_member");
    assert_eq!(gateway.groups(SAM, "limit=71").await.all("message_groups", "sk").len(), 71);
}

#[tokio::test]
async fn cursors_belong_to_their_query() {
    let gateway = Gateway::with_sample().await;
    let of_two = cursor(&gateway.list(ADA, TWO, "limit=1").await);
    let of_three = cursor(&gateway.list(ADA, THREE, "limit=1").await);
    let of_groups = cursor(&gateway.groups(ADA, "limit=1").await);
    assert_eq!(gateway.list(LIN, TWO, &format!("cursor={of_two}")).await.status, 200);
    let long = http_api::encode_cursor(&["messages", TWO], &[&"x".repeat(1025)]);
    for cursor in [&of_three, &of_groups, &long, &"nonsense".to_owned()] {
        gateway.list(ADA, TWO, &format!("cursor={cursor}")).await.is_error(400, "invalid_cursor");
    }
    gateway.groups(LIN, &format!("cursor={of_groups}")).await.is_error(400, "invalid_cursor");
    gateway.groups(ADA, &format!("cursor={of_two}")).await.is_error(400, "invalid_cursor");
    for query in ["limit=0", "limit=x", "cursor=", "page=1"] {
        gateway.list(ADA, TWO, query).await.is_error(400, "invalid_parameter");
        gateway.groups(ADA, query).await.is_error(400, "invalid_parameter");
    }
}
