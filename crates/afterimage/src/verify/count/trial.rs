//! Counts on trial: what a count must be, worked out from readings of the ledger while writes go on.
//!
//! A count is read between two readings of the ledger. An entry that is the same in both did not change in
//! between, so its group at that moment is known. An entry that changed may have been in any group. If every
//! entry that changed was read in one transaction with the count, the count must be exactly what these entries and
//! the still ones add up to: such a look is *exact*, and only exact looks make drift. Which entries change is
//! learned from look to look.
//!
//! A look that is not exact proves nothing. If more entries change than one transaction can read, a count
//! that agrees in [`AGREEING_LOOKS_MIN`] such looks is taken for right, and one that differs stays undecided.

use std::collections::{BTreeMap, BTreeSet};

use super::bucket::bucket_of;
use super::reading::{ENTRIES_MAX, LedgerReading, Movement, group_of};
use crate::attribute_value::Item;

/// Entries that are read in one transaction with counts: at most 100 items are
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html>).
const ENTRIES_TOGETHER_MAX: usize = 90;

/// Looks that are not exact and agree, after which a count of a busy ledger is taken for right.
const AGREEING_LOOKS_MIN: u32 = 2;

/// Looks within which the entries that change become known: a bucket that changed is watched in the next
/// reading, and compared in the one after that.
const LEARNING_LOOKS: u32 = 3;

/// How many looks there are.
#[derive(Debug, Clone, Copy)]
pub struct LookLimits {
    /// Equal exact looks, after the first one, that make a difference drift.
    pub equal_look_count: u32,
    /// Looks after which what is open stays undecided.
    pub look_count_max: u32,
}

/// What is read at one moment, between two readings of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountQuestion {
    /// The groups whose counts are wanted; `None` for all of the view.
    pub groups: Option<BTreeSet<String>>,
    /// Partition keys of ledger entries that are read in one transaction with counts.
    pub entries: BTreeSet<String>,
}

/// Counts as they were at one moment.
#[derive(Debug, Clone, Default)]
pub struct CountSight {
    /// The counts of the groups that were asked for: 0 for no item, `None` for no whole number.
    pub counts: BTreeMap<String, Option<i128>>,
    /// The entries that were asked for, read in the same transaction, by partition key.
    pub entries: BTreeMap<String, Option<Item>>,
}

/// A count that differs from its ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CountDifference {
    /// What the count should be.
    pub expected: i128,
    /// What it is; `None` for no whole number.
    pub found: Option<i128>,
}

impl CountDifference {
    /// How much the count is too high.
    fn surplus(self) -> Option<i128> {
        Some(self.found? - self.expected)
    }
}

/// A group whose count is not decided.
#[derive(Debug, Clone, Default)]
struct OpenCount {
    /// What the last exact look found.
    difference: Option<CountDifference>,
    /// Exact looks that found the same difference, after the first one.
    equal_look_count: u32,
    /// Looks that were not exact and agreed.
    agreeing_look_count: u32,
}

/// What a look says of one count.
#[derive(Debug, Clone, Copy)]
enum CountLook {
    Exact(CountDifference),
    Agreeing,
    Nothing,
}

/// The trial of a view's counts.
#[derive(Debug)]
pub struct CountTrial {
    limits: LookLimits,
    entries_max: usize,
    together_max: usize,
    /// The last reading.
    ledger: LedgerReading,
    /// Entries that changed between two readings.
    moving: BTreeSet<String>,
    /// Buckets in which something changed.
    watched: BTreeSet<usize>,
    /// Groups that are not decided; `None` before the counts were seen.
    open: Option<BTreeMap<String, OpenCount>>,
    drifted: BTreeMap<String, CountDifference>,
    look_count: u32,
}

/// How a trial ended.
#[derive(Debug)]
pub struct CountVerdict {
    /// Counts that are not the number of their entries.
    pub drifted: BTreeMap<String, CountDifference>,
    /// Groups whose counts could not be decided while writes went on.
    pub undecided: BTreeSet<String>,
    /// The last reading of the ledger.
    pub ledger: LedgerReading,
}

impl CountTrial {
    /// A trial that has the first reading of the ledger, and of each entry.
    #[must_use]
    pub fn new(first: LedgerReading, limits: LookLimits) -> Self {
        Self {
            limits,
            entries_max: ENTRIES_MAX,
            together_max: ENTRIES_TOGETHER_MAX,
            ledger: first,
            moving: BTreeSet::new(),
            watched: BTreeSet::new(),
            open: None,
            drifted: BTreeMap::new(),
            look_count: 0,
        }
    }

    /// What is read next; after it the ledger is read once more. `None` at the end.
    #[must_use]
    pub fn question(&self) -> Option<CountQuestion> {
        let groups = self.open.as_ref().map(|open| open.keys().cloned().collect());
        let is_over = groups.as_ref().is_some_and(BTreeSet::is_empty)
            || self.look_count >= self.limits.look_count_max;
        (!is_over).then(|| CountQuestion { groups, entries: self.entries_together() })
    }

    /// Entries that may change before the next reading: those that did, and their neighbours while it is not
    /// known which of them it was.
    fn entries_together(&self) -> BTreeSet<String> {
        let neighbours = self.ledger.watched_entries().cloned();
        let all: BTreeSet<_> = self.moving.iter().cloned().chain(neighbours).collect();
        match (all.len() <= self.together_max, self.is_crowded()) {
            (true, _) => all,
            (false, false) => self.moving.clone(),
            (false, true) => BTreeSet::new(),
        }
    }

    /// Whether more entries change than one transaction can read.
    fn is_crowded(&self) -> bool {
        self.moving.len() > self.together_max
    }

    /// The next reading of the ledger, to be filled.
    #[must_use]
    pub fn reading(&self) -> LedgerReading {
        LedgerReading::watching(self.watched.clone(), self.entries_max)
    }

    /// Takes what was seen between the last reading and this one.
    pub fn take(&mut self, sights: &[CountSight], reading: LedgerReading) {
        self.look_count += 1;
        let movement = self.ledger.movement(&reading);
        let mut open =
            self.open.take().unwrap_or_else(|| all_groups(sights, &self.ledger, &reading));
        for sight in sights {
            let is_exact = is_exact(&movement, sight, &reading);
            for (group, count) in &mut open {
                if sight.counts.contains_key(group) || self.look_count == 1 {
                    count.take(self.look(group, sight, &reading, is_exact));
                }
            }
        }
        self.watched.extend(&movement.buckets);
        self.watched.extend(movement.entries.iter().map(|it| bucket_of(it)));
        let is_unknown = !movement.buckets.is_empty();
        self.moving.extend(movement.entries);
        self.ledger = reading;
        let is_busy = self.is_crowded() || (is_unknown && self.look_count >= LEARNING_LOOKS);
        let limits = self.limits;
        open.retain(|group, count| {
            if let Some(difference) = count.drift(limits) {
                self.drifted.insert(group.clone(), difference);
                return false;
            }
            !count.is_right(is_busy)
        });
        self.open = Some(open);
    }

    fn look(
        &self,
        group: &str,
        sight: &CountSight,
        reading: &LedgerReading,
        is_exact: bool,
    ) -> CountLook {
        let found = sight.counts.get(group).copied().unwrap_or(Some(0));
        let mut expected = i128::from(reading.count(group));
        if is_exact {
            for (partition, item) in &sight.entries {
                let then = item.as_ref().and_then(group_of);
                expected += i128::from(then.as_deref() == Some(group));
                expected -= i128::from(reading.kept_group(partition) == Some(group));
            }
            CountLook::Exact(CountDifference { expected, found })
        } else if self.ledger.is_still(reading, group) && found == Some(expected) {
            CountLook::Agreeing
        } else {
            CountLook::Nothing
        }
    }

    /// How the trial ended.
    #[must_use]
    pub fn verdict(self) -> CountVerdict {
        let open = self.open.unwrap_or_default();
        CountVerdict {
            drifted: self.drifted,
            undecided: open.into_keys().collect(),
            ledger: self.ledger,
        }
    }
}

/// Whether every entry that changed was read at the moment of the sight.
fn is_exact(movement: &Movement, sight: &CountSight, reading: &LedgerReading) -> bool {
    movement.buckets.is_empty()
        && movement.entries.iter().all(|it| sight.entries.contains_key(it))
        && sight.entries.keys().all(|it| reading.knows(bucket_of(it)))
}

fn all_groups(
    sights: &[CountSight],
    earlier: &LedgerReading,
    later: &LedgerReading,
) -> BTreeMap<String, OpenCount> {
    let counted = sights.iter().flat_map(|sight| sight.counts.keys());
    let groups = counted.chain(earlier.groups()).chain(later.groups());
    groups.map(|group| (group.clone(), OpenCount::default())).collect()
}

impl OpenCount {
    fn take(&mut self, look: CountLook) {
        match look {
            CountLook::Exact(difference) => {
                let surplus = |it: CountDifference| it.surplus();
                let is_equal = self.difference.map(surplus) == Some(difference.surplus());
                self.equal_look_count = if is_equal { self.equal_look_count + 1 } else { 0 };
                self.difference = Some(difference);
            }
            CountLook::Agreeing => self.agreeing_look_count += 1,
            CountLook::Nothing => {}
        }
    }

    /// What the count differs by, if that stood still for long enough.
    fn drift(&self, limits: LookLimits) -> Option<CountDifference> {
        let differs = |it: &CountDifference| it.surplus() != Some(0);
        self.difference.filter(differs).filter(|_| self.equal_look_count >= limits.equal_look_count)
    }

    fn is_right(&self, is_busy: bool) -> bool {
        match self.difference {
            Some(difference) => difference.surplus() == Some(0),
            None => is_busy && self.agreeing_look_count >= AGREEING_LOOKS_MIN,
        }
    }
}

#[cfg(test)]
mod tests;
