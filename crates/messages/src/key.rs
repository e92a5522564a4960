//! The keys of the `messages` table: every kind of item, and who writes it.
//!
//! | item | `pk` | `sk` | written by |
//! |---|---|---|---|
//! | message | `MSG#<group uuid>` | when it was posted | `post-message` |
//! | message id | `MSGID#<message uuid>` | `MESSAGE` | `post-message`, with the message |
//! | group row | `GRP#<owner uuid>` | that of the group's newest message | `post-message`; moved by the engine |
//! | profile | `USER#<user uuid>` | `PROFILE` | `post-confirmation`; `post-message` where that failed |
//! | handle | `HANDLE#<handle>` | `HANDLE` | `post-confirmation`, with the profile |

use http_api::{InvalidCursor, Origin};
use serde::{Deserialize, Serialize};

use crate::Messages;

/// The key of an item.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Key {
    pub(crate) pk: String,
    pub(crate) sk: String,
}

impl Messages {
    /// Where items come from.
    pub(crate) fn origin(&self) -> Origin<'_> {
        Origin { table: self.table(), key: ["pk", "sk"] }
    }
}

/// The key of a message.
pub(crate) fn message(group_uuid: &str, created_at: &str) -> Key {
    key(message_partition(group_uuid), created_at)
}

/// The partition of a group's messages.
pub(crate) fn message_partition(group_uuid: &str) -> String {
    format!("MSG#{group_uuid}")
}

/// The key of the item that makes a message's uuid unique.
pub(crate) fn message_id(message_uuid: &str) -> Key {
    key(format!("MSGID#{message_uuid}"), "MESSAGE")
}

/// The key of a row.
pub(crate) fn row(owner_uuid: &str, sk: &str) -> Key {
    key(row_partition(owner_uuid), sk)
}

/// The partition of an owner's rows.
pub(crate) fn row_partition(owner_uuid: &str) -> String {
    format!("GRP#{owner_uuid}")
}

/// The key of a profile.
pub(crate) fn profile(user_uuid: &str) -> Key {
    key(format!("USER#{user_uuid}"), "PROFILE")
}

/// The key of the item that makes a handle unique.
pub(crate) fn handle(handle: &str) -> Key {
    key(format!("HANDLE#{handle}"), "HANDLE")
}

fn key(pk: String, sk: &str) -> Key {
    Key { pk, sk: sk.to_owned() }
}

/// Checks a sort key that came in a cursor: 1024 bytes at most
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
pub(crate) fn checked_sort_key(sk: &str) -> Result<(), InvalidCursor> {
    if sk.len() <= 1024 { Ok(()) } else { Err(InvalidCursor) }
}
