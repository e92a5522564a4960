//! One reading of a ledger, entry by entry while writes go on: sums by group and by bucket.
//!
//! A reading keeps single entries only as long as they are few. Of a larger ledger it keeps those of the
//! buckets that are watched, because something in them changed before.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::bucket_of;
use crate::attribute_value::Item;
use crate::count::{Entry, Standing};
use crate::verify::Digest;

/// Single entries that one reading keeps.
pub(super) const ENTRIES_MAX: usize = 10_000;

/// What one reading of a view's ledger tells.
#[derive(Debug, Clone)]
pub struct LedgerReading {
    tallies: BTreeMap<String, GroupTally>,
    /// Sums of the digests of whole entries, by bucket.
    buckets: BTreeMap<usize, u128>,
    /// Buckets whose entries are kept singly, however many entries there are.
    watched: BTreeSet<usize>,
    /// Entries that are kept singly, by partition key.
    entries: BTreeMap<String, KeptEntry>,
    entries_max: usize,
    kept: Kept,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct GroupTally {
    count: u64,
    sum: u128,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct KeptEntry {
    digest: Digest,
    group: Option<String>,
}

/// Which entries are kept singly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    All,
    Watched,
    /// Even those of the watched buckets are too many.
    None,
}

/// What changed between two readings.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Movement {
    /// Entries that changed, by partition key.
    pub entries: BTreeSet<String>,
    /// Buckets in which some entry changed, and it is not known which.
    pub buckets: BTreeSet<usize>,
}

impl LedgerReading {
    /// The first reading, which watches nothing.
    #[must_use]
    pub fn first() -> Self {
        Self::watching(BTreeSet::new(), ENTRIES_MAX)
    }

    pub(super) fn watching(watched: BTreeSet<usize>, entries_max: usize) -> Self {
        Self {
            tallies: BTreeMap::new(),
            buckets: BTreeMap::new(),
            watched,
            entries: BTreeMap::new(),
            entries_max,
            kept: Kept::All,
        }
    }

    /// Takes an item of the ledger, under its partition key. One that is no entry is in no group.
    pub fn add(&mut self, partition: &str, item: &Item) {
        let group = group_of(item);
        let digest = Digest::of_item(item);
        let bucket = bucket_of(partition);
        let sum = self.buckets.entry(bucket).or_insert(0);
        *sum = sum.wrapping_add(digest.0);
        if let Some(group) = &group {
            let tally = self.tallies.entry(group.clone()).or_default();
            tally.count += 1;
            tally.sum = tally.sum.wrapping_add(digest.0);
        }
        if self.knows(bucket) {
            self.entries.insert(partition.to_owned(), KeptEntry { digest, group });
        }
        if self.entries.len() > self.entries_max && self.kept == Kept::All {
            self.kept = Kept::Watched;
            self.entries.retain(|partition, _| self.watched.contains(&bucket_of(partition)));
        }
        if self.entries.len() > self.entries_max {
            self.kept = Kept::None;
            self.entries.clear();
        }
    }

    /// How many source items are counted in a group.
    #[must_use]
    pub fn count(&self, group: &str) -> u64 {
        self.tally(group).count
    }

    /// The groups that have entries.
    pub fn groups(&self) -> impl Iterator<Item = &String> {
        self.tallies.keys()
    }

    fn tally(&self, group: &str) -> GroupTally {
        self.tallies.get(group).copied().unwrap_or_default()
    }

    /// Whether the entries of a group are the same in two readings. Between them, others may have been in it.
    pub(super) fn is_still(&self, later: &Self, group: &str) -> bool {
        self.tally(group) == later.tally(group)
    }

    /// Whether every entry of a bucket is kept singly.
    pub(super) fn knows(&self, bucket: usize) -> bool {
        match self.kept {
            Kept::All => true,
            Kept::Watched => self.watched.contains(&bucket),
            Kept::None => false,
        }
    }

    /// The group of an entry that is kept singly.
    pub(super) fn kept_group(&self, partition: &str) -> Option<&str> {
        self.entries.get(partition)?.group.as_deref()
    }

    /// Entries of watched buckets, by partition key.
    pub(super) fn watched_entries(&self) -> impl Iterator<Item = &String> {
        self.entries.keys().filter(|it| self.watched.contains(&bucket_of(it)))
    }

    /// What changed until a later reading. An entry that is not in it is the same in both, so it did not change
    /// in between: versions only grow.
    pub(super) fn movement(&self, later: &Self) -> Movement {
        let buckets: BTreeSet<_> = self.buckets.keys().chain(later.buckets.keys()).collect();
        let is_changed = |it: &&usize| self.buckets.get(it) != later.buckets.get(it);
        let changed = buckets.into_iter().filter(is_changed).copied();
        let (known, unknown) = changed.partition(|it| self.knows(*it) && later.knows(*it));
        let known: BTreeSet<usize> = known;
        let partitions: BTreeSet<_> = self.entries.keys().chain(later.entries.keys()).collect();
        let entries = partitions.into_iter().filter(|it| {
            known.contains(&bucket_of(it)) && self.entries.get(*it) != later.entries.get(*it)
        });
        Movement { entries: entries.cloned().collect(), buckets: unknown }
    }
}

/// The group that an item of the ledger is counted in.
pub(super) fn group_of(item: &Item) -> Option<String> {
    let entry = Entry::from_item(item).ok()?;
    match entry.standing {
        Standing::Counted { group } => Some(group.to_string()),
        Standing::Uncounted | Standing::Removed | Standing::Parked => None,
    }
}
