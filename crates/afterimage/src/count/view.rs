//! The definition of a `count` view.

use afterimage_schema::{Table, TableDefinition};

use super::ledger;
use crate::key::ItemKey;
use crate::selection::Selection;
use crate::view_name::ViewName;

/// A view that counts source items by group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountView {
    /// The view's name.
    pub name: ViewName,
    /// Which source items it counts.
    pub selection: Selection,
    /// The attribute that tells a source item's group.
    pub group_by: String,
    /// What a deletion does.
    pub removal: Removal,
    /// Where the counts are.
    pub target: Target,
    /// The definition of the source table.
    pub definition: TableDefinition,
}

/// What the deletion of a source item does to its count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// Its contribution is taken back.
    Retract,
    /// Nothing: the count keeps it.
    Skip,
}

/// Where the counts of a view are, in the `derived` table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The partition key.
    pub partition: String,
    /// The sort key, by group.
    pub sort: SortTemplate,
    /// The attribute that holds the count.
    pub count_attribute: String,
}

/// A sort key with the group in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortTemplate {
    /// What stands before the group.
    pub before: String,
    /// What stands after it.
    pub after: String,
}

impl SortTemplate {
    /// The sort key of a group's count.
    #[must_use]
    pub fn render(&self, group: &str) -> String {
        [&self.before, group, &self.after].concat()
    }
}

impl Target {
    /// The key of a group's count.
    #[must_use]
    pub fn key(&self, group: &str) -> ItemKey {
        ItemKey::strings(Table::DERIVED, self.partition.clone(), self.sort.render(group))
    }

    /// Whether a key is in the partition of the counts.
    #[must_use]
    pub fn is_key(&self, key: &ItemKey) -> bool {
        key.table == Table::DERIVED && key.partition.as_string() == Some(self.partition.as_str())
    }
}

impl CountView {
    /// The key of a source item's ledger entry.
    #[must_use]
    pub fn ledger_key(&self, source_key: &ItemKey) -> ItemKey {
        ledger::key(&self.name, source_key)
    }
}
