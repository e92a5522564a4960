//! Items of the emulator as the core has them.

use afterimage::attribute_value::{AttributeValueError, item_from_json};
use afterimage::number::NumberError;
use afterimage::{AttributeValue, Item};
use dynoxide::types::AttributeValue as EmulatorValue;
use serde_json::Value;

/// Why an item of the emulator is none.
#[derive(Debug, thiserror::Error)]
pub enum ItemError {
    /// Its JSON does not read.
    #[error("the emulator's item does not read")]
    Json(#[from] AttributeValueError),
    /// A number is none.
    #[error("a number of the emulator's item does not read")]
    Number(#[from] NumberError),
}

/// The item that a request has as JSON.
///
/// # Errors
/// [`ItemError`] where it is none.
pub fn item_of_request(value: &Value) -> Result<Item, ItemError> {
    Ok(item_from_json("item", value.clone())?)
}

/// An item of the emulator.
pub(super) fn item_of_emulator(item: dynoxide::types::Item) -> Result<Item, ItemError> {
    let attribute = |(name, value)| Ok::<_, ItemError>((name, value_of_emulator(value)?));
    item.into_iter().map(attribute).collect()
}

fn value_of_emulator(value: EmulatorValue) -> Result<AttributeValue, ItemError> {
    Ok(match value {
        EmulatorValue::S(text) => AttributeValue::S(text),
        EmulatorValue::N(digits) => AttributeValue::N(digits.parse()?),
        EmulatorValue::B(bytes) => AttributeValue::B(bytes),
        EmulatorValue::BOOL(it) => AttributeValue::Bool(it),
        EmulatorValue::NULL(_) => AttributeValue::Null,
        EmulatorValue::SS(texts) => AttributeValue::Ss(texts.into_iter().collect()),
        EmulatorValue::NS(numbers) => {
            let numbers = numbers.iter().map(|digits| digits.parse());
            AttributeValue::Ns(numbers.collect::<Result<_, _>>()?)
        }
        EmulatorValue::BS(values) => AttributeValue::Bs(values.into_iter().collect()),
        EmulatorValue::L(values) => {
            let values = values.into_iter().map(value_of_emulator);
            AttributeValue::L(values.collect::<Result<_, _>>()?)
        }
        EmulatorValue::M(item) => AttributeValue::M(item_of_emulator(item)?),
    })
}

/// The text of an attribute; `None` where it is absent or no string.
#[must_use]
pub fn text<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.get(name).and_then(AttributeValue::as_string)
}
