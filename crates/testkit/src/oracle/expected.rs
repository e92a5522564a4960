//! Derived state as it must be.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What derived items must be once every record is delivered; its JSON is the same.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Expected {
    /// By `count` view, its derived items in the order of their sort keys: `pk`, `sk` and the count,
    /// and nothing else. A group without items has none.
    pub counts: BTreeMap<String, Vec<Value>>,
    /// By `latest` view, its groups.
    pub latest: BTreeMap<String, BTreeMap<String, ExpectedGroup>>,
}

/// A group of a `latest` view that has source items.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedGroup {
    /// The newest source item.
    pub newest: Value,
    /// What every row of the group must be.
    pub rows: ExpectedRows,
}

/// What the rows of a group must be, each owner's alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExpectedRows {
    /// The sort keys that a row may have: the newest's, or that with the group behind it, if another
    /// group's row stood there when the row moved.
    pub sort_keys: [String; 2],
    /// The attributes that the rows copy, an object: one that the newest source item lacks, they lack
    /// too.
    pub copied: Value,
}
