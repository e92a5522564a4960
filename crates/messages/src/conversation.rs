//! Conversations as the command line shows them.

use http_api::StoreError;
use serde::Deserialize;

use crate::{Handle, InvalidHandle, Messages, key, partition, profile};

/// Why a conversation cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum ConversationError {
    /// The handle cannot be one.
    #[error(transparent)]
    Handle(#[from] InvalidHandle),
    /// Nobody has the handle.
    #[error("nobody has the handle `{0}`")]
    Unknown(Handle),
    /// The store failed.
    #[error("the conversation could not be read")]
    Store(#[from] StoreError),
}

/// A message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Line {
    /// Who wrote it.
    pub user_handle: String,
    /// When, as `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`.
    #[serde(rename = "sk")]
    pub created_at: String,
    /// What.
    pub message: String,
}

/// The end of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Latest {
    /// Its last messages, in reading order.
    pub lines: Vec<Line>,
    /// The read units that this took, where the store said.
    pub consumed_capacity_units: Option<f64>,
}

/// A conversation of somebody: their row of a group.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Group {
    /// The group.
    pub message_group_uuid: String,
    /// Another member.
    pub user_handle: String,
    /// The row's sort key: when its last message was posted.
    pub sk: String,
    /// Its last message.
    pub message: String,
}

/// The last `count` messages of a group, in reading order; none where there is no such group.
///
/// # Errors
/// [`ConversationError::Store`].
pub async fn latest(
    messages: &Messages,
    message_group_uuid: &str,
    count: u16,
) -> Result<Latest, ConversationError> {
    let partition = key::message_partition(message_group_uuid);
    let wanted = usize::from(count);
    let (mut lines, mut units, mut start) = (Vec::new(), None, None);
    while lines.len() < wanted {
        let page = partition::newest_first(messages, &partition, start, Some(count.into())).await?;
        if let Some(more) = page.consumed_capacity().and_then(|it| it.capacity_units) {
            units = Some(units.map_or(more, |sum: f64| sum + more));
        }
        for item in page.items().iter().take(wanted - lines.len()) {
            lines.push(messages.origin().read(item)?);
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    lines.reverse();
    Ok(Latest { lines, consumed_capacity_units: units })
}

/// The conversations of the user with this handle, newest first.
///
/// # Errors
/// [`ConversationError`].
pub async fn groups_of(messages: &Messages, handle: &str) -> Result<Vec<Group>, ConversationError> {
    let handle = Handle::new(handle)?;
    let Some(owner) = profile::of_handle(messages, &handle).await? else {
        return Err(ConversationError::Unknown(handle));
    };
    let partition = key::row_partition(&owner.user_uuid);
    let (mut groups, mut start) = (Vec::new(), None);
    loop {
        let page = partition::newest_first(messages, &partition, start, None).await?;
        for item in page.items() {
            groups.push(messages.origin().read(item)?);
        }
        start = page.last_evaluated_key;
        if start.is_none() {
            return Ok(groups);
        }
    }
}
