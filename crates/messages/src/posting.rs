//! Putting a message: its item, the item of its uuid, and the rows of a new conversation, all at once.

use http_api::{ApiError, Item, Outcome, StoreError};
use serde::Deserialize;
use uuid::Uuid;

use crate::content::{MessageContent, RowContent};
use crate::item::{self, with_group};
use crate::message_id::{Fingerprint, PostedId};
use crate::{CreatedAt, MessageText, Messages, Profile, key};

/// How many microseconds are tried where keys are taken. Two messages of one group in the same
/// microsecond are rare, as many as this are not to be expected.
const KEY_TRIES_MAX: u32 = 64;

/// A message that is to be put.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) author: Profile,
    pub(crate) text: MessageText,
    pub(crate) message_uuid: Uuid,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) destination: Destination,
}

/// Where a message goes.
#[derive(Debug)]
pub(crate) enum Destination {
    /// To a group that is there.
    Group {
        /// The group.
        group_uuid: String,
    },
    /// To a new group of the author and another user.
    NewGroup {
        /// The group.
        group_uuid: String,
        /// The other member.
        other: Profile,
    },
}

impl Draft {
    /// The items of the transaction, the item of the uuid first and the message second.
    fn items(&self, at: CreatedAt) -> Result<Vec<Item>, StoreError> {
        let sk = at.to_string();
        let (group_uuid, other) = match &self.destination {
            Destination::Group { group_uuid } => (group_uuid, None),
            Destination::NewGroup { group_uuid, other } => (group_uuid, Some(other)),
        };
        let posted = PostedId {
            group_uuid: group_uuid.clone(),
            message_sk: sk.clone(),
            fingerprint: self.fingerprint.clone(),
        };
        let mut items = vec![
            posted.item(&self.message_uuid)?,
            message_item(group_uuid, &sk, &self.message_uuid, &self.author, &self.text)?,
        ];
        if let Some(other) = other {
            items.push(row_item(&self.author.user_uuid, other, group_uuid, &sk, &self.text)?);
            items.push(row_item(&other.user_uuid, &self.author, group_uuid, &sk, &self.text)?);
        }
        Ok(items)
    }
}

/// A message as it is stored.
pub(crate) fn message_item(
    group_uuid: &str,
    sk: &str,
    message_uuid: &Uuid,
    author: &Profile,
    message: &MessageText,
) -> Result<Item, StoreError> {
    let message_uuid = message_uuid.to_string();
    item::item(key::message(group_uuid, sk), &MessageContent { message, message_uuid, author })
}

/// A row as it is stored.
pub(crate) fn row_item(
    owner_uuid: &str,
    other: &Profile,
    message_group_uuid: &str,
    sk: &str,
    message: &MessageText,
) -> Result<Item, StoreError> {
    item::item(key::row(owner_uuid, sk), &RowContent { message_group_uuid, message, other })
}

/// Puts a message, and returns it as stored, with `message_group_uuid`. Where a key is taken by another
/// message or row, the next microsecond is tried. A message that was posted by the same request before
/// is returned as it is stored now.
///
/// # Errors
/// 409 `message_uuid_taken`, 409 `message_deleted`, 503, and 500 for a clock that is out of range.
pub(crate) async fn post(messages: &Messages, draft: &Draft) -> Result<Item, ApiError> {
    let mut at = CreatedAt::try_from(messages.clock.now()).map_err(ApiError::internal)?;
    for _ in 0..KEY_TRIES_MAX {
        match item::put_all(messages, draft.items(at)?).await? {
            Outcome::Written => {
                let (Destination::Group { group_uuid } | Destination::NewGroup { group_uuid, .. }) =
                    &draft.destination;
                let (sk, uuid) = (at.to_string(), &draft.message_uuid);
                let item = message_item(group_uuid, &sk, uuid, &draft.author, &draft.text)?;
                return Ok(with_group(item, group_uuid));
            }
            Outcome::Refused(taken) => match taken.at(0) {
                Some(posted) => return posted_before(messages, draft, posted).await,
                None => at = at.next().map_err(ApiError::internal)?,
            },
        }
    }
    Err(ApiError::Unavailable { source: Box::new(NoFreeKey) })
}

#[derive(Debug, thiserror::Error)]
#[error("{KEY_TRIES_MAX} microseconds in a row are taken")]
struct NoFreeKey;

/// Which message an item is.
#[derive(Deserialize)]
struct PostedMessage {
    message_uuid: String,
}

/// The message that was posted with this uuid, if it was by the same request.
async fn posted_before(
    messages: &Messages,
    draft: &Draft,
    posted: &Item,
) -> Result<Item, ApiError> {
    let posted: PostedId = messages.origin().read(posted)?;
    if posted.fingerprint != draft.fingerprint {
        return Err(ApiError::Conflict {
            code: "message_uuid_taken",
            message: "this message_uuid was used for another message; choose a new one".to_owned(),
        });
    }
    let group_uuid = &posted.group_uuid;
    let stored = item::get(messages, key::message(group_uuid, &posted.message_sk)).await?;
    // The key of a deleted message may have been given to another one since.
    let uuid = draft.message_uuid.to_string();
    let same = |item: &Item| {
        let found = messages.origin().read::<PostedMessage>(item);
        found.is_ok_and(|it| it.message_uuid == uuid)
    };
    match stored.filter(same) {
        Some(item) => Ok(with_group(item, group_uuid)),
        None => Err(ApiError::Conflict {
            code: "message_deleted",
            message: "the message with this message_uuid was posted, and deleted since".to_owned(),
        }),
    }
}
