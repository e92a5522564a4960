//! The audit of a `count` view: source items against ledger entries, and these against counts.
//!
//! Two sums tell it all without a list of items. Every source item that contributes is added to one
//! of a fixed number of buckets, and every entry that says so is taken away again: a bucket that is
//! not empty in the end holds a difference, and only its items are looked at again. And every entry,
//! with its version, is added to its group: where two readings of the ledger, one after the other, give
//! the same sum, no entry of the group changed between them, since versions only grow; so a count that
//! was read in between must be the number of entries exactly, whatever the stream still holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Digest, Drift};
use crate::attribute_value::{AttributeValue, Item};
use crate::count::{Contribution, CountView, Entry, Removal, Standing, contribution_of_item};
use crate::key::ItemKey;
use crate::keys::ledger_prefix;

const BUCKET_COUNT: usize = 1 << 16;

/// What one reading of the ledger says, by group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ledger(BTreeMap<String, Tally>);

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    count: u64,
    sum: u128,
}

impl Ledger {
    /// Adds an entry, under its partition key.
    pub fn add(&mut self, partition: &str, entry: &Entry) {
        let Some(group) = entry.standing.group() else {
            return;
        };
        let tally = self.0.entry(group.to_string()).or_default();
        let version = entry.version.to_string();
        let Digest(digest) = Digest::of_parts(&[partition.as_bytes(), version.as_bytes()]);
        tally.count += 1;
        tally.sum = tally.sum.wrapping_add(digest);
    }

    /// How many source items are counted in a group.
    #[must_use]
    pub fn count(&self, group: &str) -> u64 {
        self.tally(group).count
    }

    /// Whether no entry of the group changed between two readings.
    #[must_use]
    pub fn is_still(&self, later: &Ledger, group: &str) -> bool {
        self.tally(group) == later.tally(group)
    }

    fn tally(&self, group: &str) -> Tally {
        self.0.get(group).copied().unwrap_or_default()
    }
}

/// What a source item and its ledger entry are to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The entry says what the item contributes.
    Agrees,
    /// The item was deleted, and the view keeps counting it: `remove = "skip"`.
    Retained,
    /// The item's newest record is parked: it contributes once that is tried again.
    Parked,
    /// The entry says something else.
    Differs {
        /// The group that the item belongs in, if any.
        expected: Option<String>,
        /// The group that it is counted in, if any.
        found: Option<String>,
    },
}

/// A source item and its ledger entry, as they were read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// The source item.
    pub source: Option<Item>,
    /// The entry as it stands; it may be no entry.
    pub entry: Option<Item>,
}

/// The first look at a `count` view.
#[derive(Debug)]
pub struct CountAudit {
    view: Arc<CountView>,
    buckets: Vec<u128>,
    fold: BTreeMap<String, u64>,
    /// The first reading of the ledger.
    pub ledger: Ledger,
    /// The counts, by group; those that are no number are `None`.
    counts: BTreeMap<String, Option<i128>>,
    /// Partition keys of items in the ledger that are no entries, as many as are worth telling of.
    broken: BTreeSet<String>,
    /// Source items that were read and are selected.
    pub source_item_count: u64,
}

impl CountAudit {
    /// An audit that has seen nothing yet.
    #[must_use]
    pub fn new(view: Arc<CountView>) -> Self {
        Self {
            view,
            buckets: vec![0; BUCKET_COUNT],
            fold: BTreeMap::new(),
            ledger: Ledger::default(),
            counts: BTreeMap::new(),
            broken: BTreeSet::new(),
            source_item_count: 0,
        }
    }

    /// The view.
    #[must_use]
    pub fn view(&self) -> &CountView {
        &self.view
    }

    /// Attributes of source items that the audit needs.
    #[must_use]
    pub fn attributes(view: &CountView) -> BTreeSet<String> {
        let sort = view.definition.sort_key.clone();
        let keys = std::iter::once(view.definition.partition_key.clone()).chain(sort);
        let tested = view.selection.attributes().map(str::to_owned);
        keys.chain(tested).chain([view.group_by.clone()]).collect()
    }

    /// Takes a source item.
    pub fn source(&mut self, item: &Item) {
        let Some(key) = ItemKey::of_item(&self.view.definition, item) else {
            return;
        };
        self.source_item_count += u64::from(self.view.selection.selects(item));
        if let Some(group) = self.group_of(item) {
            let partition = self.entry_partition(&key);
            self.note(&partition, &group, u128::wrapping_add);
            *self.fold.entry(group).or_insert(0) += 1;
        }
    }

    /// Takes an item of `derived`; one that is not the view's is left alone.
    pub fn derived(&mut self, item: &Item) {
        let text = |name| item.get(name).and_then(AttributeValue::as_string);
        let Some((partition, sort)) = text("pk").zip(text("sk")) else {
            return;
        };
        if partition == self.view.target.partition {
            if let Some(group) = self.group_of_sort(sort) {
                let count = self.count_of(Some(item));
                self.counts.insert(group, count);
            }
        } else if partition.starts_with(&self.ledger_prefix()) {
            match Entry::from_item(item) {
                Ok(entry) => {
                    self.ledger.add(partition, &entry);
                    if let Some(group) = entry.standing.group() {
                        let partition = partition.to_owned();
                        self.note(&partition, group, u128::wrapping_sub);
                    }
                }
                Err(_) if self.broken.len() < super::BROKEN_MAX => {
                    self.broken.insert(partition.to_owned());
                }
                Err(_) => {}
            }
        }
    }

    fn note(&mut self, partition: &str, group: &str, act: fn(u128, u128) -> u128) {
        let Digest(digest) = Digest::of_parts(&[partition.as_bytes(), group.as_bytes()]);
        if let Some(bucket) = self.buckets.get_mut(bucket_of(partition)) {
            *bucket = act(*bucket, digest);
        }
    }

    /// What partition keys of the view's ledger begin with.
    #[must_use]
    pub fn ledger_prefix(&self) -> String {
        ledger_prefix(&self.view.name)
    }

    /// The partition key of a source item's entry.
    #[must_use]
    pub fn entry_partition(&self, key: &ItemKey) -> String {
        self.view.ledger_key(key).partition.to_string()
    }

    /// Whether the source items and the ledger differ anywhere.
    #[must_use]
    pub fn is_ledger_suspect(&self) -> bool {
        self.buckets.iter().any(|bucket| *bucket != 0)
    }

    /// Whether what belongs under this partition key of the ledger has to be looked at again.
    #[must_use]
    pub fn is_suspect(&self, partition: &str) -> bool {
        self.buckets.get(bucket_of(partition)).is_some_and(|bucket| *bucket != 0)
    }

    /// Partition keys in the ledger under which no entry stands.
    #[must_use]
    pub fn broken(&self) -> &BTreeSet<String> {
        &self.broken
    }

    /// Groups whose count is not the number of their entries.
    #[must_use]
    pub fn suspect_groups(&self) -> BTreeSet<String> {
        let groups = self.counts.keys().chain(self.ledger.0.keys());
        let differs = |group: &&String| {
            let count = self.counts.get(*group).copied().unwrap_or(Some(0));
            count != Some(i128::from(self.ledger.count(group)))
        };
        groups.filter(differs).cloned().collect()
    }

    /// Groups of the view.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.fold.keys().chain(self.ledger.0.keys()).collect::<BTreeSet<_>>().len()
    }

    /// The count that an item holds: 0 where there is none, `None` where it is no whole number.
    #[must_use]
    pub fn count_of(&self, item: Option<&Item>) -> Option<i128> {
        match item.map(|item| item.get(&self.view.target.count_attribute)) {
            None => Some(0),
            Some(Some(AttributeValue::N(number))) => number.as_str().parse().ok(),
            Some(_) => None,
        }
    }

    /// What a source item and its entry are to each other.
    #[must_use]
    pub fn judge(&self, look: &Look) -> Verdict {
        let entry = match look.entry.as_ref().map(Entry::from_item).transpose() {
            Ok(entry) => entry,
            Err(_) => return Verdict::Differs { expected: self.expected(look), found: None },
        };
        let standing = entry.map(|entry| entry.standing);
        let found = standing.as_ref().and_then(Standing::group).map(String::from);
        if look.source.is_none() && self.view.removal == Removal::Skip {
            return if found.is_some() { Verdict::Retained } else { Verdict::Agrees };
        }
        let expected = self.expected(look);
        if expected == found {
            Verdict::Agrees
        } else if standing == Some(Standing::Parked) {
            Verdict::Parked
        } else {
            Verdict::Differs { expected, found }
        }
    }

    fn expected(&self, look: &Look) -> Option<String> {
        look.source.as_ref().and_then(|item| self.group_of(item))
    }

    /// The group that a source item is counted in.
    fn group_of(&self, item: &Item) -> Option<String> {
        match contribution_of_item(&self.view, item) {
            Ok(Contribution::Group(group)) => Some(group.to_string()),
            // A group that is none parks its record: it contributes nothing.
            Ok(Contribution::None) | Err(_) => None,
        }
    }

    /// The source key that an entry tells.
    #[must_use]
    pub fn source_key(&self, entry: &Item) -> Option<ItemKey> {
        let AttributeValue::M(key) = entry.get("source_key")? else {
            return None;
        };
        ItemKey::of_item(&self.view.definition, key)
    }

    /// The group of a count, by its sort key.
    fn group_of_sort(&self, sort: &str) -> Option<String> {
        let sort_template = &self.view.target.sort;
        let group = sort.strip_prefix(sort_template.before.as_str());
        group.and_then(|it| it.strip_suffix(sort_template.after.as_str())).map(str::to_owned)
    }

    /// A count, as reports name it.
    #[must_use]
    pub fn count_name(&self, group: &str) -> String {
        self.view.target.key(group).to_string()
    }

    /// A ledger entry that differs, as drift.
    #[must_use]
    pub fn entry_drift(&self, source_key: &str, look: &Look) -> Drift {
        let counted = |group: Option<String>| match group {
            Some(group) => format!("counted in {group}"),
            None => "not counted".to_owned(),
        };
        let found = match look.entry.as_ref().map(Entry::from_item) {
            None => "no entry".to_owned(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(entry)) => counted(entry.standing.group().map(String::from)),
        };
        Drift {
            item: format!("ledger entry of {source_key}"),
            expected: counted(self.expected(look)),
            found,
        }
    }

    /// A count that differs, as drift.
    #[must_use]
    pub fn count_drift(&self, group: &str, expected: i128, found: Option<i128>) -> Drift {
        Drift {
            item: self.count_name(group),
            expected: expected.to_string(),
            found: found.map_or_else(|| "no whole number".to_owned(), |count| count.to_string()),
        }
    }
}

/// The bucket of a partition key of the ledger: by the end of the hash that it holds.
fn bucket_of(partition: &str) -> usize {
    let digits = partition.len().checked_sub(4).and_then(|start| partition.get(start..));
    digits.and_then(|digits| usize::from_str_radix(digits, 16).ok()).unwrap_or(0) % BUCKET_COUNT
}

#[cfg(test)]
mod tests;
