//! Writing and reading single items.

use aws_sdk_dynamodb::types::AttributeValue;
use http_api::{Item, Outcome, StoreError, put_new, store_error, to_item, transact};
use serde::Serialize;

use crate::Messages;
use crate::key::Key;

#[derive(Serialize)]
struct Keyed<Content> {
    #[serde(flatten)]
    key: Key,
    #[serde(flatten)]
    content: Content,
}

/// An item as it is stored.
pub(crate) fn item(key: Key, content: &impl Serialize) -> Result<Item, StoreError> {
    to_item(&Keyed { key, content })
}

/// The item of a message as it is shown: with its group, which only its key names.
pub(crate) fn with_group(mut message: Item, group_uuid: &str) -> Item {
    message.insert("message_group_uuid".to_owned(), AttributeValue::S(group_uuid.to_owned()));
    message
}

/// An item by its key, by a consistent read.
pub(crate) async fn get(messages: &Messages, key: Key) -> Result<Option<Item>, StoreError> {
    let found = messages
        .client
        .get_item()
        .table_name(messages.table())
        .set_key(Some(to_item(&key)?))
        .consistent_read(true)
        .send()
        .await
        .map_err(|error| store_error("GetItem of messages", error))?;
    Ok(found.item)
}

/// Puts all items, or none where the key of one is taken.
///
/// # Errors
/// As [`transact`].
pub(crate) async fn put_all(messages: &Messages, items: Vec<Item>) -> Result<Outcome, StoreError> {
    let puts: Result<_, _> =
        items.into_iter().map(|item| put_new(messages.table(), "pk", item)).collect();
    transact(&messages.client, "TransactWriteItems of messages", puts?).await
}
