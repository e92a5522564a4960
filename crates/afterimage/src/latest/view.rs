//! The definition of a `latest` view, and what follows from it alone.

use std::collections::BTreeMap;

use afterimage_schema::TableDefinition;

use crate::attribute_value::{AttributeValue, Item};
use crate::key::ItemKey;
use crate::selection::Selection;
use crate::view_name::ViewName;

/// A view whose rows follow the newest source item of their group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestView {
    /// The view's name.
    pub name: ViewName,
    /// Which items are source items, by their keys.
    pub selection: Selection,
    /// The table's partition key: it tells the group of a source item.
    pub partition_attribute: String,
    /// What stands before the group in the partition key.
    pub strip_prefix: String,
    /// The table's sort key: the order of source items, and what rows follow.
    pub sort_attribute: String,
    /// Attributes of the newest source item that its rows carry.
    pub copy: Vec<String>,
    /// The rows.
    pub rows: Rows,
    /// The definition of the table that it reads, and that the rows live in.
    pub definition: TableDefinition,
}

/// The rows of a `latest` view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Which items are rows, by their partition key.
    pub selection: Selection,
    /// The attribute that tells a row's group.
    pub group_attribute: String,
    /// The index that suggests the rows of a group.
    pub index: String,
    /// Attributes that the application may add to a row while it moves.
    pub may_gain: Vec<String>,
    /// Rows that a group may have.
    pub max: usize,
}

impl LatestView {
    /// The key of a row.
    #[must_use]
    pub fn row_key(&self, owner: &str, sort: &str) -> ItemKey {
        ItemKey::strings(self.definition.table.clone(), owner, sort)
    }

    /// The attributes of a source item that rows carry.
    #[must_use]
    pub fn copied(&self, source_item: &Item) -> Item {
        let copied = self.copy.iter().filter_map(|name| source_item.get_key_value(name));
        copied.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The sort keys that a row may have when a source item with this order key is the newest: the
    /// order key itself, or the same with the group behind it, where another group's row stands.
    #[must_use]
    pub fn target_sorts(group: &str, order: &str) -> [String; 2] {
        [order.to_owned(), format!("{order}#{group}")]
    }

    /// Whether an item is a row of this group.
    #[must_use]
    pub fn is_row_of(&self, group: &str, item: &Item) -> bool {
        self.rows.selection.selects(item)
            && item.get(&self.rows.group_attribute).and_then(AttributeValue::as_string)
                == Some(group)
    }

    /// The group of an item that is selected as a source item, by its keys.
    #[must_use]
    pub fn group_of_source_item<'a>(&self, item: &'a Item) -> Option<&'a str> {
        let partition = item.get(&self.partition_attribute).and_then(AttributeValue::as_string);
        partition
            .filter(|_| self.selection.selects(item))
            .and_then(|partition| partition.strip_prefix(self.strip_prefix.as_str()))
    }

    /// The newest source item of each group, by its order key, and its copied attributes: what rows
    /// must follow once drained. `items` are the source items, deleted ones as last delivered.
    #[must_use]
    pub fn fold<'a>(
        &self,
        items: impl IntoIterator<Item = &'a Item>,
    ) -> BTreeMap<String, (String, Item)> {
        let mut newest: BTreeMap<String, (String, Item)> = BTreeMap::new();
        for item in items {
            let order = item.get(&self.sort_attribute).and_then(AttributeValue::as_string);
            let Some((group, order)) = self.group_of_source_item(item).zip(order) else {
                continue;
            };
            let is_newer = newest.get(group).is_none_or(|(other, _)| order > other.as_str());
            if is_newer {
                newest.insert(group.to_owned(), (order.to_owned(), self.copied(item)));
            }
        }
        newest
    }
}
