//! From records to a task: which records a `count` view settles at once, and what is left to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::open_change::{Delivery, OpenChange};
use super::task::CountTask;
use super::view::{CountView, Removal};
use crate::engine::{Opening, Routed, Settled, Task};
use crate::key::ItemKey;
use crate::outcome::Outcome;
use crate::record::Change;

impl CountView {
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
            .map(|routed| OpenChange::new(self, routed.index, routed.record, delivery))
            .collect();
        let tasks: Vec<Box<dyn Task>> = match changes.is_empty() {
            true => Vec::new(),
            false => vec![Box::new(CountTask::new(Arc::clone(self), changes))],
        };
        Opening { settled, tasks }
    }
}
