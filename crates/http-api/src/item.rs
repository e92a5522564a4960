//! Items as the SDK has them.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::StoreError;

/// The attributes of an item, or of a key.
pub type Item = HashMap<String, AttributeValue>;

/// A string attribute that must be there.
///
/// # Errors
/// [`StoreError::Malformed`] where it is absent or of another type.
pub fn text_attribute<'item>(
    item: &'item Item,
    name: &'static str,
) -> Result<&'item str, StoreError> {
    match item.get(name) {
        Some(AttributeValue::S(text)) => Ok(text),
        Some(_) | None => Err(StoreError::Malformed { attribute: name.to_owned() }),
    }
}
