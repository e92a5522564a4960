//! The first reads of the functions that may read: of keys that no item has. `post-confirmation` has
//! no permission for one, and opens its connection with the first event.

use http_api::StoreError;

use crate::{Messages, item, key, partition};

/// In place of a user's uuid: nobody's.
const NOBODY: &str = "warm-up";

/// The first read of `list-message-groups` and `list-messages`.
///
/// # Errors
/// [`StoreError`].
pub async fn rows(messages: &Messages) -> Result<(), StoreError> {
    partition::newest_first(messages, &key::row_partition(NOBODY), None, Some(1)).await?;
    Ok(())
}

/// The first read of `post-message`.
///
/// # Errors
/// [`StoreError`].
pub async fn profile(messages: &Messages) -> Result<(), StoreError> {
    item::get(messages, key::profile(NOBODY)).await?;
    Ok(())
}
