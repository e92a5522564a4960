//! The sample conversations.

use messages::{Sample, SeedError, Seeded};
use serde_json::{Value, json};

use crate::gateway::{ADA, Gateway, THREE};

#[tokio::test]
async fn seeding_twice_changes_nothing() {
    let gateway = Gateway::empty().await;
    let first = messages::seed_sample(&gateway.messages).await.expect("a seed");
    assert_eq!(first, Seeded { profiles: 3, conversations: 2, messages: 15 });
    let items = gateway.items("").await;
    assert_eq!(items.len(), 3 * 2 + 15 * 2 + 2 + 3);
    let row = &items[&format!("GRP#{ADA} 2026-02-27T08:15:21.700042+00:00")];
    assert_eq!(row["message_group_uuid"], THREE);
    // A member has left, and somebody has written: neither is undone.
    gateway.delete(&format!("GRP#{ADA}"), "2026-02-27T08:15:21.700042+00:00").await;
    let reply =
        json!({ "message": "hi", "message_group_uuid": "c0c0c0c0-0000-4000-8000-000000000001" });
    assert_eq!(gateway.post(ADA, &reply.to_string()).await.status, 201);
    let items = gateway.items("").await;
    let second = messages::seed_sample(&gateway.messages).await.expect("a seed");
    assert_eq!((second, gateway.items("").await), (Seeded::default(), items));
}

#[tokio::test]
async fn a_seeded_message_can_be_sent_again() {
    let gateway = Gateway::with_sample().await;
    let again = json!({
        "message": "Mint. And leave room on the shelf.",
        "message_group_uuid": "c0c0c0c0-0000-4000-8000-000000000001",
        "message_uuid": "e0e0e0e0-0000-4000-8000-000000000007",
    });
    let answer = gateway.post(ADA, &again.to_string()).await;
    assert_eq!(
        (answer.status, &answer.json()["sk"]),
        (201, &json!("2026-02-25T12:15:42.318900+00:00"))
    );
}

#[tokio::test]
async fn a_handle_of_somebody_else_stops_the_seed() {
    let gateway = Gateway::empty().await;
    messages::ensure_profile(&gateway.messages, "lin-demo").await.expect("a profile");
    let refused = messages::seed_sample(&gateway.messages).await;
    assert!(matches!(refused, Err(SeedError::HandleTaken(handle)) if handle == "lin-demo"));
}

#[track_caller]
fn check(change: impl FnOnce(&mut Value), expected: &str) {
    let mut file = json!({
        "profiles": [
            { "user_uuid": ADA, "user_handle": "a", "user_display_name": "A" },
            { "user_uuid": "a0a0a0a0-0000-4000-8000-000000000002", "user_handle": "b", "user_display_name": "B" },
        ],
        "conversations": [{
            "message_group_uuid": THREE, "members": ["a", "b"],
            "messages": [{ "message_uuid": "e0e0e0e0-0000-4000-8000-000000000001", "user_handle": "a",
                           "created_at": "2026-03-01T09:00:00.000000+00:00", "message": "hi" }],
        }],
    });
    change(&mut file);
    let found = Sample::parse(file.to_string().as_bytes());
    assert_eq!(found.err().map(|error| error.to_string()).unwrap_or_default(), expected);
}

#[test]
fn wrong_files_are_refused() {
    check(|_| (), "");
    check(|file| file["more"] = json!(1), "this is no file of profiles and conversations");
    check(
        |file| file["profiles"][0]["user_uuid"] = json!("x"),
        "`x` is no UUID with hyphens and in lower case",
    );
    check(
        |file| file["conversations"][0]["members"][1] = json!("c"),
        "the handle `c` has no profile in the file",
    );
    check(
        |file| file["conversations"][0]["messages"][0]["created_at"] = json!("today"),
        "`today` cannot be a time",
    );
    check(
        |file| file["conversations"][0]["messages"][0]["message"] = json!(""),
        "the message e0e0e0e0-0000-4000-8000-000000000001 cannot be posted",
    );
    let size = format!(
        "the conversation {THREE} must have two members and a message at least, and 100 items at most: two per message, one per member"
    );
    check(|file| file["conversations"][0]["messages"] = json!([]), &size);
    check(|file| file["conversations"][0]["members"] = json!(["a"]), &size);
}

#[test]
fn entries_that_do_not_go_together_are_named() {
    let wrong = |rest: &str| format!("the conversation {THREE}, {rest}");
    check(
        |file| file["conversations"][0]["members"] = json!(["a", "a"]),
        &wrong("members[1]: this member is there twice"),
    );
    check(
        |file| file["conversations"] = json!([file["conversations"][0], file["conversations"][0]]),
        &wrong("message_group_uuid: another conversation of the file has this uuid"),
    );
    check(
        |file| {
            let profiles = file["profiles"].as_array_mut().expect("profiles");
            profiles.push(json!({ "user_uuid": "a0a0a0a0-0000-4000-8000-000000000003",
                                  "user_handle": "c", "user_display_name": "C" }));
            file["conversations"][0]["messages"][0]["user_handle"] = json!("c");
        },
        &wrong("messages[0]: its author is no member"),
    );
    let with = |created_at: &'static str, message_uuid: &'static str| {
        move |file: &mut Value| {
            let messages = file["conversations"][0]["messages"].as_array_mut().expect("messages");
            let mut second = messages[0].clone();
            second["created_at"] = json!(created_at);
            second["message_uuid"] = json!(message_uuid);
            messages.push(second);
        }
    };
    check(
        with("2026-03-01T09:00:00.000000+00:00", "e0e0e0e0-0000-4000-8000-000000000002"),
        &wrong("messages[1]: another message of the conversation has its `created_at`"),
    );
    check(
        with("2026-03-01T09:00:01.000000+00:00", "e0e0e0e0-0000-4000-8000-000000000001"),
        &wrong("messages[1]: another message of the file has its `message_uuid`"),
    );
    check(with("2026-03-01T09:00:01.000000+00:00", "e0e0e0e0-0000-4000-8000-000000000002"), "");
}
