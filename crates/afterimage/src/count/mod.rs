//! `count` views: how many source items each group has, kept exact by a ledger.
//!
//! The ledger has one entry per source item: the version of its newest applied record, and what the
//! item contributes. One transaction writes the entry, on condition that it still is as read, and
//! adds the difference to the counts: neither can happen without the other, nor twice.

mod contribution;
mod ledger;
mod pack;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;

use afterimage_schema::{Table, TableDefinition};

pub use contribution::{Contribution, GroupError, contribution_of_item, render_group};
pub use ledger::{Entry, LedgerError, Standing};

use crate::attribute_value::Item;
use crate::engine::{Opening, Routed, Settled, Task};
use crate::key::ItemKey;
use crate::outcome::Outcome;
use crate::record::Change;
use crate::selection::Selection;
use task::{CountTask, Delivery};

/// A view that counts source items by group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountView {
    /// The view's name.
    pub name: String,
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
}

impl CountView {
    /// The key of a source item's ledger entry.
    #[must_use]
    pub fn ledger_key(&self, source_key: &ItemKey) -> ItemKey {
        ledger::key(&self.name, source_key)
    }

    /// Keeps the newest record of each source item, and makes one task of them all.
    #[must_use]
    pub fn open(self: &Arc<Self>, records: &[Routed<'_>]) -> Opening {
        self.open_as(records, Delivery::Stream)
    }

    /// Opens a parked record again: it may replace the entry that says it is parked.
    #[must_use]
    pub fn retry(self: &Arc<Self>, record: Routed<'_>) -> Opening {
        self.open_as(&[record], Delivery::Retry)
    }

    fn open_as(self: &Arc<Self>, records: &[Routed<'_>], delivery: Delivery) -> Opening {
        let mut settled = Vec::new();
        let by_keys =
            self.selection.of_attributes(&self.definition.key_attributes().collect::<Vec<_>>());
        let mut newest: BTreeMap<&ItemKey, Routed<'_>> = BTreeMap::new();
        for routed in records {
            let is_skipped =
                self.removal == Removal::Skip && routed.record.change == Change::Remove;
            let key_item = routed.record.key.to_item(&self.definition);
            if is_skipped || !by_keys.selects(&key_item) {
                settled.push(Settled::Outcome { index: routed.index, outcome: Outcome::Skipped });
                continue;
            }
            let Some(other) = newest.get_mut(&routed.record.key) else {
                newest.insert(&routed.record.key, *routed);
                continue;
            };
            // Of two deliveries of one record, the first does the work.
            let (kept, superseded) = if routed.record.version > other.record.version {
                (*routed, *other)
            } else {
                (*other, *routed)
            };
            settled.push(Settled::Coalesced { index: superseded.index, by: kept.index });
            *other = kept;
        }
        let changes: Vec<_> = newest
            .into_values()
            .map(|routed| task::OpenChange::new(self, routed.index, routed.record, delivery))
            .collect();
        let tasks: Vec<Box<dyn Task>> = match changes.is_empty() {
            true => Vec::new(),
            false => vec![Box::new(CountTask::new(Arc::clone(self), changes))],
        };
        Opening { settled, tasks }
    }

    /// Counts by group of these source items: what the derived items must say once drained.
    ///
    /// # Errors
    /// [`GroupError`] of an item whose group is none: its newest record is parked, and it must not
    /// be among them.
    pub fn fold<'a>(
        &self,
        items: impl IntoIterator<Item = &'a Item>,
    ) -> Result<BTreeMap<String, u64>, GroupError> {
        let mut counts = BTreeMap::new();
        for item in items {
            if let Contribution::Group(group) = contribution_of_item(self, item)? {
                *counts.entry(group).or_insert(0) += 1;
            }
        }
        Ok(counts)
    }
}
