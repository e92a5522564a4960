//! What items of messages and rows hold beside their keys.

use serde::Serialize;

use crate::{MessageText, Profile};

/// What the item of a message holds beside its key.
#[derive(Debug, Serialize)]
pub(crate) struct MessageContent<'a> {
    pub(crate) message: &'a MessageText,
    pub(crate) message_uuid: String,
    #[serde(flatten)]
    pub(crate) author: &'a Profile,
}

/// What a row holds beside its key. It names another member than its owner.
#[derive(Debug, Serialize)]
pub(crate) struct RowContent<'a> {
    pub(crate) message_group_uuid: &'a str,
    pub(crate) message: &'a MessageText,
    #[serde(flatten)]
    pub(crate) other: &'a Profile,
}
