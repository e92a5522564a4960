//! The audit of a `count` view: source items against ledger entries, and these against counts.
//!
//! The first look needs no list of items. Every source item that contributes is added to one of a fixed
//! number of buckets, and every entry that says so is taken away again: a bucket that is not empty in the
//! end holds a difference, and only its items are looked at again. Counts are on [trial](CountTrial) after
//! it, between two readings of the ledger.

mod bucket;
mod reading;
mod trial;

pub use reading::LedgerReading;
pub use trial::{CountDifference, CountQuestion, CountSight, CountTrial, CountVerdict, LookLimits};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Digest, Drift};
use crate::attribute_value::{AttributeValue, Item};
use crate::count::{Contribution, CountView, Entry, Removal, Standing, contribution_of_item};
use crate::key::ItemKey;
use crate::keys::ledger_prefix;
use crate::record::Record;
use crate::version::Version;
use bucket::{BUCKET_COUNT, bucket_of};

/// What a source item and its ledger entry are to each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The entry says what the item contributes.
    Agrees,
    /// The item was deleted, and the view keeps counting it: `remove = "skip"`.
    Retained,
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

/// What the parked record behind an entry says of the source item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParkedSight {
    /// There is none: it was dropped, or its effect was lost.
    NotThere,
    /// It holds no image that could be compared.
    WithoutImage,
    /// It holds another state of the item: a newer change was lost, or has not come yet.
    OtherState,
    /// It holds the item as it stands: it is the newest, and waits to be tried again.
    AsItStands,
}

/// The first look at a `count` view.
#[derive(Debug)]
pub struct CountAudit {
    view: Arc<CountView>,
    buckets: Vec<u128>,
    fold: BTreeMap<String, u64>,
    /// The first reading of the ledger.
    pub ledger: LedgerReading,
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
            ledger: LedgerReading::first(),
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
        let Some(partition) = item.get("pk").and_then(AttributeValue::as_string) else {
            return;
        };
        if partition.starts_with(&self.ledger_prefix()) {
            self.ledger.add(partition, item);
            match Entry::from_item(item) {
                Ok(entry) => {
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

    /// Groups of the view.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.fold.keys().chain(self.ledger.groups()).collect::<BTreeSet<_>>().len()
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
        if expected == found { Verdict::Agrees } else { Verdict::Differs { expected, found } }
    }

    /// The version of the parked record that the entry tells of, if it does.
    #[must_use]
    pub fn parked_version(look: &Look) -> Option<Version> {
        let entry = Entry::from_item(look.entry.as_ref()?).ok()?;
        (entry.standing == Standing::Parked).then_some(entry.version)
    }

    /// What a parked record of the item says of it; `None` for no record.
    #[must_use]
    pub fn parked_sight(&self, look: &Look, record: Option<&Record>) -> ParkedSight {
        let Some(record) = record else {
            return ParkedSight::NotThere;
        };
        let attributes = Self::attributes(&self.view);
        let relevant = |item: &Item| -> Item {
            let named = item.iter().filter(|(name, _)| attributes.contains(*name));
            named.map(|(name, value)| (name.clone(), value.clone())).collect()
        };
        match &record.image {
            Err(_) => ParkedSight::WithoutImage,
            Ok(image) if image.as_ref().map(relevant) == look.source.as_ref().map(relevant) => {
                ParkedSight::AsItStands
            }
            Ok(_) => ParkedSight::OtherState,
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

    /// The group and the count of an item in the partition of the counts; `None` for another item.
    #[must_use]
    pub fn count_of_item(&self, item: &Item) -> Option<(String, Option<i128>)> {
        let sort = item.get("sk").and_then(AttributeValue::as_string)?;
        let template = &self.view.target.sort;
        let group = sort.strip_prefix(template.before.as_str())?;
        let group = group.strip_suffix(template.after.as_str())?;
        Some((group.to_owned(), self.count_of(Some(item))))
    }

    /// A count, as reports name it.
    #[must_use]
    pub fn count_name(&self, group: &str) -> String {
        self.view.target.key(group).to_string()
    }

    /// A ledger entry that differs, as drift.
    #[must_use]
    pub fn entry_drift(&self, source_key: &str, look: &Look, parked: Option<ParkedSight>) -> Drift {
        let counted = |group: Option<String>| match group {
            Some(group) => format!("counted in {group}"),
            None => "not counted".to_owned(),
        };
        let found = match look.entry.as_ref().map(Entry::from_item) {
            None => "no entry".to_owned(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(entry)) => counted(entry.standing.group().map(String::from)),
        };
        let found = match parked {
            Some(ParkedSight::NotThere) => {
                format!("{found}: parked, and no usable record of it is there")
            }
            Some(ParkedSight::OtherState) => {
                format!("{found}: parked by a record of another state of the item")
            }
            Some(ParkedSight::WithoutImage | ParkedSight::AsItStands) | None => found,
        };
        Drift {
            item: format!("ledger entry of {source_key}"),
            expected: counted(self.expected(look)),
            found,
        }
    }

    /// A count that differs, as drift.
    #[must_use]
    pub fn count_drift(&self, group: &str, difference: CountDifference) -> Drift {
        Drift {
            item: self.count_name(group),
            expected: difference.expected.to_string(),
            found: difference
                .found
                .map_or_else(|| "no whole number".to_owned(), |count| count.to_string()),
        }
    }
}

#[cfg(test)]
mod tests;
