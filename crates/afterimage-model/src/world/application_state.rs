//! What the application knows of its own.

use std::collections::BTreeMap;

use afterimage::{Item, ItemKey};

/// What the application left behind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Application {
    /// Its rows, by owner and group.
    pub(crate) rows: BTreeMap<(String, String), RowAsLeft>,
    /// Every message that ever was, as last put: under `skip` a deletion changes nothing.
    pub(crate) messages: BTreeMap<ItemKey, Item>,
}

/// A row as the application left it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowAsLeft {
    /// The attributes that are the application's alone.
    pub(crate) own: Item,
    /// The sort key at which it was put.
    pub(crate) put_at: String,
}

/// The attributes of a row that are the application's alone.
pub(crate) fn own_attributes(row: &Item) -> Item {
    let derived = ["pk", "sk", "message", "message_group_uuid"];
    let own = row.iter().filter(|(name, _)| !derived.contains(&name.as_str()));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The partition key of an owner's rows.
pub(crate) fn row_partition(owner: &str) -> String {
    format!("GRP#{owner}")
}
