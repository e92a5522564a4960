//! Conversations of two: their rows, and the messages in them.

use crate::workload::MESSAGES;
use std::collections::BTreeMap;

use super::SourceItem;
use super::record::SourceChange;

/// How many conversations there are, where there are many.
pub const GROUP_COUNT: u64 = 1000;

/// The members of every conversation.
pub const MEMBERS: [&str; 2] = ["ada", "lin"];

/// The group of a conversation.
#[must_use]
pub fn group(conversation: u64) -> String {
    format!("00000000-0000-4000-8000-{conversation:012}")
}

/// The owner of a row.
#[must_use]
pub fn owner(conversation: u64, member: &str) -> String {
    format!("{member}-{conversation:05}")
}

/// The sort key of a message.
#[must_use]
pub fn sort(number: u64) -> String {
    let (minute, second) = (number / 60_000_000, number / 1_000_000 % 60);
    format!("2026-01-05T08:{minute:02}:{second:02}.{:06}+00:00", number % 1_000_000)
}

/// The text of a message.
#[must_use]
pub fn text(number: u64) -> String {
    format!("Message {number:07}: until six, and the cafe until five.")
}

/// The two rows of a conversation in which nobody has written yet.
#[must_use]
pub fn rows(conversation: u64) -> Vec<SourceItem> {
    let row = |(member, other): (&str, &str)| {
        let item = BTreeMap::from([
            ("pk".to_owned(), format!("GRP#{}", owner(conversation, member))),
            ("sk".to_owned(), "2026-01-01T00:00:00.000000+00:00".to_owned()),
            ("message_group_uuid".to_owned(), group(conversation)),
            ("message".to_owned(), String::new()),
            ("user_uuid".to_owned(), owner(conversation, other)),
            ("user_handle".to_owned(), other.to_owned()),
            ("user_display_name".to_owned(), format!("Member {other}")),
        ]);
        (MESSAGES, item)
    };
    let [one, other] = MEMBERS;
    [(one, other), (other, one)].into_iter().map(row).collect()
}

/// The record of a message.
#[must_use]
pub fn posted(number: u64, conversation: u64) -> SourceChange {
    let after = vec![
        ("pk", format!("MSG#{}", group(conversation))),
        ("sk", sort(number)),
        ("message", text(number)),
        ("message_uuid", format!("6d657373-6167-4000-8000-{number:012}")),
        ("user_uuid", owner(conversation, "ada")),
        ("user_handle", "ada".to_owned()),
        ("user_display_name", "Member ada".to_owned()),
    ];
    SourceChange { table: MESSAGES, number, before: None, after }
}
