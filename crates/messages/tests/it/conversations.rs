//! Conversations as the command line shows them.

use messages::conversation::{self, ConversationError};

use crate::gateway::{Gateway, THREE, TWO};

#[tokio::test]
async fn the_last_messages_come_in_reading_order() {
    let gateway = Gateway::with_sample().await;
    let latest = conversation::latest(&gateway.messages, TWO, 2).await.expect("messages");
    let shown: Vec<String> = latest
        .lines
        .iter()
        .map(|line| format!("{} {} {}", line.user_handle, line.created_at, line.message))
        .collect();
    assert_eq!(
        shown,
        [
            "lin-demo 2026-02-25T12:15:08.000312+00:00 Deal. Ginger or mint?",
            "ada-demo 2026-02-25T12:15:42.318900+00:00 Mint. And leave room on the shelf.",
        ]
    );
    assert!(latest.consumed_capacity_units.is_some_and(|units| units > 0.0));
    let all = conversation::latest(&gateway.messages, TWO, 20).await.expect("messages");
    assert_eq!(all.lines.len(), 7);
    let none = conversation::latest(&gateway.messages, "nowhere", 20).await.expect("messages");
    assert!(none.lines.is_empty());
}

#[tokio::test]
async fn long_conversations_are_read_to_their_count() {
    let gateway = Gateway::with_sample().await;
    let text = "x".repeat(messages::MESSAGE_BYTES_MAX);
    for index in 0..50 {
        let sk = format!("2026-03-01T09:00:00.{index:06}+00:00");
        let message =
            [("pk", &*format!("MSG#{TWO}")), ("sk", &sk), ("message", &text), ("user_handle", "x")];
        gateway.put(&message).await;
    }
    let latest = conversation::latest(&gateway.messages, TWO, 52).await.expect("messages");
    assert_eq!(latest.lines.len(), 52);
    assert_eq!(latest.lines[0].message, "Deal. Ginger or mint?");
}

#[tokio::test]
async fn the_groups_of_a_handle_come_newest_first() {
    let gateway = Gateway::with_sample().await;
    let groups = conversation::groups_of(&gateway.messages, "ada-demo").await.expect("groups");
    let shown: Vec<(&str, &str)> =
        groups.iter().map(|it| (&*it.message_group_uuid, &*it.user_handle)).collect();
    assert_eq!(shown, [(THREE, "lin-demo"), (TWO, "lin-demo")]);
    let unknown = conversation::groups_of(&gateway.messages, "nobody").await;
    assert!(matches!(unknown, Err(ConversationError::Unknown(_))), "{unknown:?}");
}
