//! Attribute values of the core and of the SDK, one into the other.

use std::collections::HashMap;

use afterimage::number::NumberError;
use afterimage::{AttributeValue, Item};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as SdkValue;

/// An item as the SDK has it.
pub(crate) type SdkItem = HashMap<String, SdkValue>;

/// Why an item of the service cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// A number that the service itself should not have.
    #[error("an attribute holds a number that cannot be read")]
    Number(#[source] NumberError),
    /// A type that this version does not know.
    #[error("an attribute has a type that is not known")]
    UnknownType,
}

pub(crate) fn item_to_sdk(item: &Item) -> SdkItem {
    item.iter().map(|(name, value)| (name.clone(), value_to_sdk(value))).collect()
}

pub(crate) fn value_to_sdk(value: &AttributeValue) -> SdkValue {
    match value {
        AttributeValue::S(text) => SdkValue::S(text.clone()),
        AttributeValue::N(number) => SdkValue::N(number.as_str().to_owned()),
        AttributeValue::B(bytes) => SdkValue::B(Blob::new(bytes.clone())),
        AttributeValue::Bool(it) => SdkValue::Bool(*it),
        AttributeValue::Null => SdkValue::Null(true),
        AttributeValue::L(values) => SdkValue::L(values.iter().map(value_to_sdk).collect()),
        AttributeValue::M(item) => SdkValue::M(item_to_sdk(item)),
        AttributeValue::Ss(texts) => SdkValue::Ss(texts.iter().cloned().collect()),
        AttributeValue::Ns(numbers) => {
            SdkValue::Ns(numbers.iter().map(|number| number.as_str().to_owned()).collect())
        }
        AttributeValue::Bs(values) => {
            SdkValue::Bs(values.iter().map(|bytes| Blob::new(bytes.clone())).collect())
        }
    }
}

pub(crate) fn item_from_sdk(item: &SdkItem) -> Result<Item, ConvertError> {
    item.iter().map(|(name, value)| Ok((name.clone(), value_from_sdk(value)?))).collect()
}

fn value_from_sdk(value: &SdkValue) -> Result<AttributeValue, ConvertError> {
    let number = |text: &String| text.parse().map_err(ConvertError::Number);
    Ok(match value {
        SdkValue::S(text) => AttributeValue::S(text.clone()),
        SdkValue::N(text) => AttributeValue::N(number(text)?),
        SdkValue::B(bytes) => AttributeValue::B(bytes.as_ref().to_vec()),
        SdkValue::Bool(it) => AttributeValue::Bool(*it),
        SdkValue::Null(_) => AttributeValue::Null,
        SdkValue::L(values) => {
            AttributeValue::L(values.iter().map(value_from_sdk).collect::<Result<_, _>>()?)
        }
        SdkValue::M(item) => AttributeValue::M(item_from_sdk(item)?),
        SdkValue::Ss(texts) => AttributeValue::Ss(texts.iter().cloned().collect()),
        SdkValue::Ns(texts) => {
            AttributeValue::Ns(texts.iter().map(number).collect::<Result<_, _>>()?)
        }
        SdkValue::Bs(values) => {
            AttributeValue::Bs(values.iter().map(|bytes| bytes.as_ref().to_vec()).collect())
        }
        _ => return Err(ConvertError::UnknownType),
    })
}
