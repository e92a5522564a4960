//! Keys of items.

use std::fmt;

use afterimage_schema::{AttributeType, Table, TableDefinition};
use sha2::{Digest as _, Sha256};

use crate::attribute_value::{AttributeValue, Item};
use crate::number::Number;

/// The value of a key attribute.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyValue {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
}

impl KeyValue {
    /// A string value.
    #[must_use]
    pub fn string(text: impl Into<String>) -> Self {
        KeyValue::S(text.into())
    }

    /// The text, if the value is a string.
    #[must_use]
    pub fn as_string(&self) -> Option<&str> {
        match self {
            KeyValue::S(text) => Some(text),
            KeyValue::N(_) | KeyValue::B(_) => None,
        }
    }

    /// Bytes of the value: those that a key's limits count.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        self.to_attribute_value().byte_count()
    }

    /// The value as an attribute of an item.
    #[must_use]
    pub fn to_attribute_value(&self) -> AttributeValue {
        match self {
            KeyValue::S(text) => AttributeValue::S(text.clone()),
            KeyValue::N(number) => AttributeValue::N(number.clone()),
            KeyValue::B(bytes) => AttributeValue::B(bytes.clone()),
        }
    }

    fn from_attribute_value(value: &AttributeValue, wanted: AttributeType) -> Option<Self> {
        match (value, wanted) {
            (AttributeValue::S(text), AttributeType::String) => Some(KeyValue::S(text.clone())),
            (AttributeValue::N(number), AttributeType::Number) => Some(KeyValue::N(number.clone())),
            (AttributeValue::B(bytes), AttributeType::Binary) => Some(KeyValue::B(bytes.clone())),
            _ => None,
        }
    }

    /// A tag for the type, and the value's bytes: what the ledger's hash is made of.
    fn tagged_bytes(&self) -> (u8, &[u8]) {
        match self {
            KeyValue::S(text) => (b'S', text.as_bytes()),
            KeyValue::N(number) => (b'N', number.as_str().as_bytes()),
            KeyValue::B(bytes) => (b'B', bytes),
        }
    }
}

impl fmt::Display for KeyValue {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeyValue::S(text) => formatter.write_str(text),
            KeyValue::N(number) => number.fmt(formatter),
            KeyValue::B(bytes) => bytes.iter().try_for_each(|byte| write!(formatter, "{byte:02x}")),
        }
    }
}

/// The primary key of one item of one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    /// The table.
    pub table: Table,
    /// The partition key's value.
    pub partition: KeyValue,
    /// The sort key's value, where the table has one.
    pub sort: Option<KeyValue>,
}

impl ItemKey {
    /// The key of a derived item, or of a row: two strings.
    #[must_use]
    pub fn strings(table: Table, partition: impl Into<String>, sort: impl Into<String>) -> Self {
        Self { table, partition: KeyValue::string(partition), sort: Some(KeyValue::string(sort)) }
    }

    /// The key that an item has under a table definition; `None` where a key attribute is missing
    /// or of another type.
    #[must_use]
    pub fn of_item(definition: &TableDefinition, item: &Item) -> Option<Self> {
        let value = |name: &str| {
            KeyValue::from_attribute_value(item.get(name)?, definition.attribute_type(name)?)
        };
        let sort = match &definition.sort_key {
            Some(name) => Some(value(name)?),
            None => None,
        };
        Some(Self {
            table: definition.table.clone(),
            partition: value(&definition.partition_key)?,
            sort,
        })
    }

    /// The key attributes, under the names that the table gives them.
    #[must_use]
    pub fn to_item(&self, definition: &TableDefinition) -> Item {
        let partition = (definition.partition_key.clone(), self.partition.to_attribute_value());
        let sort = self.sort.as_ref().map(KeyValue::to_attribute_value);
        let sort = definition.sort_key.clone().zip(sort);
        std::iter::once(partition).chain(sort).collect()
    }

    /// SHA-256 of the type-tagged, length-prefixed key values, in lower-case hexadecimal: equal for
    /// equal keys, different for different ones, however long they are.
    #[must_use]
    pub fn sha256_hex(&self) -> String {
        let mut hasher = Sha256::new();
        for value in std::iter::once(&self.partition).chain(&self.sort) {
            let (tag, bytes) = value.tagged_bytes();
            hasher.update([tag]);
            hasher.update((bytes.len() as u64).to_be_bytes());
            hasher.update(bytes);
        }
        hexadecimal(&hasher.finalize())
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.partition)?;
        self.sort.iter().try_for_each(|sort| write!(formatter, " / {sort}"))
    }
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    let halves = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    halves.filter_map(|half| char::from_digit(u32::from(half), 16)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::tests::orders;

    fn any_key_value() -> impl Strategy<Value = KeyValue> {
        prop_oneof![
            "[ab#]{0,4}".prop_map(KeyValue::S),
            (0_u64..30).prop_map(|number| KeyValue::N(number.into())),
            proptest::collection::vec(any::<u8>(), 0..3).prop_map(KeyValue::B),
        ]
    }

    fn any_key() -> impl Strategy<Value = ItemKey> {
        (any_key_value(), proptest::option::of(any_key_value()))
            .prop_map(|(partition, sort)| ItemKey { table: orders().table, partition, sort })
    }

    proptest! {
        #[test]
        fn hashes_are_equal_only_for_equal_keys(one in any_key(), other in any_key()) {
            prop_assert_eq!(one == other, one.sha256_hex() == other.sha256_hex());
        }
    }

    #[test]
    fn a_border_between_the_parts_is_part_of_the_hash() {
        let key = |partition, sort| ItemKey::strings(orders().table, partition, sort).sha256_hex();
        assert_ne!(key("ab", "c"), key("a", "bc"));
    }
}
