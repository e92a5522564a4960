//! Items of the emulator's JSON as the core has them.

use afterimage::attribute_value::{AttributeValueError, item_from_json};
use afterimage::{AttributeValue, Item};
use serde_json::Value;

/// Why JSON of the emulator is no item.
#[derive(Debug, thiserror::Error)]
#[error("the emulator's item does not read")]
pub struct ItemError(#[from] AttributeValueError);

/// These items.
///
/// # Errors
/// [`ItemError`] where one of them is none.
pub fn items_of(values: &[Value]) -> Result<Vec<Item>, ItemError> {
    values.iter().map(item_of_request).collect()
}

/// This item.
///
/// # Errors
/// [`ItemError`] where it is none.
pub fn item_of_request(value: &Value) -> Result<Item, ItemError> {
    Ok(item_from_json("item", value)?)
}

/// The text of an attribute; `None` where it is absent or no string.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(AttributeValue::as_string)
}
