//! The task of a `count` view: read the ledger, plan, commit, and plan again what was refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ledger::Entry;
use super::open_change::{Known, OpenChange};
use super::pack::{Pack, Packable, disjoint, pack};
use super::total::Totals;
use super::transaction_size::TransactionSize;
use super::view::CountView;
use crate::engine::{Answer, Committed, Parking, Read, Refusal, Step, Task};
use crate::group_name::GroupName;
use crate::key::ItemKey;
use crate::outcome::Outcome;
use crate::write::Transaction;

/// The work of a `count` view on one batch.
#[derive(Debug)]
pub(super) struct CountTask {
    view: Arc<CountView>,
    changes: Vec<OpenChange>,
    in_flight: Vec<Pack>,
    size: TransactionSize,
    totals: Totals,
    /// One of several changes is invalid, and it was not said which: each goes alone.
    is_each_alone: bool,
}

impl CountTask {
    pub(super) fn new(view: Arc<CountView>, changes: Vec<OpenChange>) -> Self {
        Self {
            view,
            changes,
            in_flight: Vec::new(),
            size: TransactionSize::default(),
            totals: Totals::default(),
            is_each_alone: false,
        }
    }

    fn open_changes(&mut self) -> impl Iterator<Item = &mut OpenChange> {
        self.changes.iter_mut().filter(|change| change.is_open())
    }

    fn reads(&mut self) -> Vec<Read> {
        self.open_changes()
            .filter(|change| matches!(change.entry, Known::Nothing))
            .map(|change| Read::Item(change.ledger_key.clone()))
            .collect()
    }

    fn parkings(&mut self) -> Vec<Parking> {
        self.open_changes()
            .filter(|change| !change.is_parked)
            .filter_map(|change| {
                let reason = change.parking.clone()?;
                Some(Parking { index: change.index, reason, rows: None })
            })
            .collect()
    }

    fn packables(&self) -> Vec<Packable> {
        let changes = self.changes.iter().enumerate();
        changes
            .filter(|(_, change)| change.is_open())
            .map(|(place, change)| Packable {
                change: place,
                groups: change.deltas().into_keys().collect::<BTreeSet<_>>(),
            })
            .collect()
    }

    fn packs(&self) -> Vec<Pack> {
        let packables = self.packables();
        if self.is_each_alone {
            return packables.into_iter().map(Pack::from).collect();
        }
        pack(packables, self.size.action_count_max())
    }

    /// What a pack adds to each count, by key; counts that stay as they are left out.
    fn sums(&self, pack: &Pack) -> BTreeMap<ItemKey, i64> {
        let mut sums: BTreeMap<GroupName, i64> = BTreeMap::new();
        for (group, delta) in self.changes_of(pack).flat_map(OpenChange::deltas) {
            *sums.entry(group).or_insert(0) += delta;
        }
        let sums = sums.into_iter().filter(|(_, sum)| *sum != 0);
        sums.map(|(group, sum)| (self.view.target.key(&group), sum)).collect()
    }

    fn changes_of(&self, pack: &Pack) -> impl Iterator<Item = &OpenChange> {
        pack.changes.iter().filter_map(|place| self.changes.get(*place))
    }

    /// The counts that have to be read before these packs are committed.
    fn total_reads(&self, packs: &[Pack]) -> Vec<Read> {
        let sums = packs.iter().flat_map(|pack| self.sums(pack));
        let unread = sums.filter(|(key, sum)| self.totals.is_unread(key, *sum));
        unread.map(|(key, _)| Read::Item(key)).collect()
    }

    /// The ledger writes in the order of the pack's changes, then one write for each count.
    fn transaction(&self, pack: &Pack) -> Transaction {
        let entries = self.changes_of(pack).map(|change| {
            let entry =
                Entry { version: change.version.clone(), standing: change.standing.clone() };
            entry.write(
                &self.view.name,
                &self.view.definition,
                &change.source_key,
                change.read_entry(),
            )
        });
        let counts = self.sums(pack).into_iter();
        let counts = counts.map(|(key, sum)| self.totals.write(&self.view.target, key, sum));
        Transaction { writes: entries.chain(counts).collect() }
    }

    /// The counts behind these writes of a pack's transaction.
    fn counts_of_writes(&self, pack: &Pack, writes: &[usize]) -> BTreeSet<ItemKey> {
        let counts = self.sums(pack).into_keys().enumerate();
        counts
            .filter(|(place, _)| writes.contains(&(pack.changes.len() + place)))
            .map(|(_, key)| key)
            .collect()
    }

    fn committed_pack(&mut self, pack: &Pack) {
        for (key, sum) in self.sums(pack) {
            self.totals.added(&key, sum);
        }
        self.for_writes(pack, &[], |change| {
            change.outcome = Some(change.applied_outcome());
        });
    }

    fn refused(&mut self, pack: &Pack, refusal: &Refusal) {
        match refusal {
            Refusal::Changed(writes) => self.changed(pack, writes),
            Refusal::Contended | Refusal::Throttled => self.forget_totals(pack),
            Refusal::Unknown => {
                self.forget_totals(pack);
                self.for_writes(pack, &[], |change| {
                    change.entry = Known::Nothing;
                    change.may_be_committed = true;
                });
            }
            Refusal::Invalid(writes) => self.invalid(pack, writes),
        }
    }

    fn forget_totals(&mut self, pack: &Pack) {
        for key in self.sums(pack).into_keys() {
            self.totals.forget(&key);
        }
    }

    /// Entries that changed are read again. A count that was to be deleted and changed is added to instead.
    fn changed(&mut self, pack: &Pack, writes: &[usize]) {
        let counts = match writes.is_empty() {
            true => self.sums(pack).into_keys().collect(),
            false => self.counts_of_writes(pack, writes),
        };
        let is_of_counts_alone = !writes.is_empty() && counts.len() == writes.len();
        counts.into_iter().for_each(|key| self.totals.refused(key));
        if !is_of_counts_alone {
            self.for_writes(pack, writes, |change| change.entry = Known::Nothing);
        }
    }

    /// A ledger entry that cannot be written parks its record. A count that cannot be added to is
    /// broken itself: the records that touch it fail until it is mended, and no others.
    fn invalid(&mut self, pack: &Pack, writes: &[usize]) {
        let broken = self.counts_of_writes(pack, writes);
        let target = self.view.target.clone();
        if !broken.is_empty() {
            self.for_writes(pack, &[], |change| {
                if change.deltas().keys().any(|group| broken.contains(&target.key(group))) {
                    change.outcome = Some(Outcome::Failed);
                }
            });
        } else if !writes.is_empty() || pack.changes.len() == 1 {
            self.for_writes(pack, writes, |change| {
                change.park_instead("DynamoDB refuses the ledger entry of this record as invalid");
            });
        } else {
            self.is_each_alone = true;
        }
    }

    /// Applies `act` to the changes behind these writes of a pack's transaction; to all of them where
    /// none of the writes is a change's.
    fn for_writes(&mut self, pack: &Pack, writes: &[usize], act: impl Fn(&mut OpenChange)) {
        let is_told = writes.iter().any(|write| *write < pack.changes.len());
        for (write, place) in pack.changes.iter().enumerate() {
            let change =
                self.changes.get_mut(*place).filter(|_| !is_told || writes.contains(&write));
            change.into_iter().for_each(&act);
        }
    }
}

impl Task for CountTask {
    fn next(&mut self) -> Step {
        let reads = self.reads();
        if !reads.is_empty() {
            return Step::Read(reads);
        }
        self.open_changes().for_each(OpenChange::settle_if_not_newer);
        let parkings = self.parkings();
        if !parkings.is_empty() {
            return Step::Park(parkings);
        }
        let packs = disjoint(self.packs());
        let reads = self.total_reads(&packs);
        if !reads.is_empty() {
            return Step::Read(reads);
        }
        self.in_flight = packs;
        if self.in_flight.is_empty() {
            return Step::Done;
        }
        Step::Commit(self.in_flight.iter().map(|pack| self.transaction(pack)).collect())
    }

    fn answered(&mut self, answers: Vec<(Read, Answer)>) {
        let mut items = BTreeMap::new();
        for (read, answer) in answers {
            if let (Read::Item(key), Answer::Item(item)) = (read, answer) {
                items.insert(key, item);
            }
        }
        for change in self.open_changes().filter(|it| matches!(it.entry, Known::Nothing)) {
            let Some(item) = items.remove(&change.ledger_key) else {
                continue;
            };
            match item.map(|item| Entry::from_item(&item)).transpose() {
                Ok(entry) => change.entry = Known::Entry(entry),
                // Whoever wrote it can mend it, and the record comes again.
                Err(_) => change.outcome = Some(Outcome::Failed),
            }
        }
        let target = &self.view.target;
        for (key, item) in items.into_iter().filter(|(key, _)| target.is_key(key)) {
            self.totals.answered(target, key, item.as_ref());
        }
    }

    fn committed(&mut self, results: Vec<Committed>) {
        let largest = self.in_flight.iter().map(Pack::action_count).max().unwrap_or(0);
        self.size.note(&results, largest);
        for (pack, result) in std::mem::take(&mut self.in_flight).into_iter().zip(results) {
            match result {
                Ok(()) => self.committed_pack(&pack),
                Err(refusal) => self.refused(&pack, &refusal),
            }
        }
    }

    fn parked(&mut self) {
        self.open_changes().filter(|change| change.parking.is_some()).for_each(|change| {
            change.is_parked = true;
        });
    }

    fn outcomes(&self) -> Vec<(usize, Option<Outcome>)> {
        self.changes.iter().map(|change| (change.index, change.outcome)).collect()
    }
}
