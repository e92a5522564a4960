//! Writes as data: what a transaction does, and on which conditions.

use std::collections::BTreeMap;

use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::key::ItemKey;

/// What an item must be like for a write to be allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clause {
    /// The attribute equals this value.
    Equals(String, AttributeValue),
    /// The attribute is absent or has another value: also true where there is not an item.
    Differs(String, AttributeValue),
    /// The attribute is absent: true as well where there is not an item.
    Missing(String),
}

/// What is done to an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The item is put whole.
    Put(Item),
    /// Attributes are changed, and the others kept.
    Update(Changes),
    /// The item is deleted.
    Delete,
    /// Nothing: only the conditions are checked.
    Check,
}

/// Changes of single attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Attributes that get a value.
    pub set: BTreeMap<String, AttributeValue>,
    /// Attributes that go.
    pub remove: Vec<String>,
    /// Numbers that are added to, from 0 where there is none.
    pub add: BTreeMap<String, i64>,
}

/// One write of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The item.
    pub key: ItemKey,
    /// What is done to it.
    pub action: Action,
    /// The conditions, all of which must hold.
    pub conditions: Vec<Clause>,
    /// Bytes of the item as it was read; 0 where it was not, or is absent.
    pub read_byte_count: usize,
}

/// Writes that are committed together or not at all; no two have the same key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Transaction {
    /// The writes.
    pub writes: Vec<Write>,
}

impl Write {
    /// Bytes that the write counts for in its transaction: of the larger of the item as it was and
    /// as it will be, from above.
    #[must_use]
    pub fn byte_count(&self) -> usize {
        let written = match &self.action {
            Action::Put(item) => item_byte_count(item),
            Action::Update(changes) => self.read_byte_count + item_byte_count(&changes.set),
            Action::Delete | Action::Check => 0,
        };
        written.max(self.read_byte_count)
    }
}
