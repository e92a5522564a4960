//! Writing and reading single items.

use aws_sdk_dynamodb::types::AttributeValue;
use http_api::{Item, Outcome, StoreError, put_new, store_error, transact};

use crate::Messages;

/// A key with string attributes: an item.
pub(crate) fn with_texts(mut key: Item, attributes: &[(&str, &str)]) -> Item {
    for (name, text) in attributes {
        key.insert((*name).to_owned(), AttributeValue::S((*text).to_owned()));
    }
    key
}

/// An item by its key, by a consistent read.
pub(crate) async fn get(messages: &Messages, key: Item) -> Result<Option<Item>, StoreError> {
    let found = messages
        .client
        .get_item()
        .table_name(messages.table())
        .set_key(Some(key))
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
pub(crate) async fn put_all(messages: &Messages, items: &[Item]) -> Result<Outcome, StoreError> {
    let puts: Result<_, _> =
        items.iter().map(|item| put_new(messages.table(), "pk", item.clone())).collect();
    transact(&messages.client, "TransactWriteItems of messages", puts?).await
}
