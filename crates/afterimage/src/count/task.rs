//! The task of a `count` view: read the ledger, plan, commit, and plan again what was refused.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::contribution::{Contribution, contribution_of_item};
use super::ledger::{Entry, Standing};
use super::pack::{Pack, Packable, disjoint, pack};
use super::view::CountView;
use crate::canary::{InnerCanary, is_planted};
use crate::engine::{Answer, Committed, Parking, Read, Refusal, Step, Task};
use crate::key::ItemKey;
use crate::limits::TRANSACTION_ACTIONS_MAX;
use crate::outcome::Outcome;
use crate::reason::reason;
use crate::record::Record;
use crate::version::Version;
use crate::write::{Action, Changes, Transaction, Write};

/// The smallest transaction: a source item that changes groups touches a ledger entry and two counts.
const ACTIONS_MIN: usize = 3;

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The stream, for the first time or again.
    Stream,
    /// The parked records.
    Retry,
}

/// A source item whose newest record of the batch has no outcome yet.
#[derive(Debug)]
pub(super) struct OpenChange {
    index: usize,
    source_key: ItemKey,
    ledger_key: ItemKey,
    version: Version,
    delivery: Delivery,
    standing: Standing,
    /// Why the record is to be parked, where it is.
    parking: Option<String>,
    is_parked: bool,
    entry: Known,
    /// A commit of this change ended without a response.
    may_be_committed: bool,
    outcome: Option<Outcome>,
}

/// What is known of a ledger entry.
#[derive(Debug)]
enum Known {
    Nothing,
    Entry(Option<Entry>),
}

impl OpenChange {
    pub(super) fn new(view: &CountView, index: usize, record: &Record, delivery: Delivery) -> Self {
        let desired = match &record.image {
            Err(error) => Err(reason(error)),
            Ok(None) => Ok(Standing::Removed),
            Ok(Some(image)) => match contribution_of_item(view, image) {
                Ok(Contribution::Group(group)) => Ok(Standing::Counted { group }),
                Ok(Contribution::None) => Ok(Standing::Uncounted),
                Err(error) => Err(reason(&error)),
            },
        };
        let (standing, parking) = match desired {
            Ok(standing) => (standing, None),
            Err(reason) => (Standing::Parked, Some(reason)),
        };
        Self {
            index,
            source_key: record.key.clone(),
            ledger_key: view.ledger_key(&record.key),
            version: record.version.clone(),
            delivery,
            standing,
            parking,
            is_parked: false,
            entry: Known::Nothing,
            may_be_committed: false,
            outcome: None,
        }
    }

    fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    fn read_entry(&self) -> Option<&Entry> {
        match &self.entry {
            Known::Nothing => None,
            Known::Entry(entry) => entry.as_ref(),
        }
    }

    fn applied_outcome(&self) -> Outcome {
        if self.parking.is_some() { Outcome::Parked } else { Outcome::Applied }
    }

    /// Settles the change if its record, or a newer one, was applied before.
    fn settle_if_not_newer(&mut self) {
        let Some(entry) = self.read_entry() else {
            return;
        };
        if self.version > entry.version || is_planted(InnerCanary::NoVersionCheck) {
            return;
        }
        let is_parked_entry = entry.version == self.version && entry.standing == Standing::Parked;
        if self.delivery == Delivery::Retry && is_parked_entry {
            // The entry says of this very record that it is parked: that may be replaced, once.
            self.outcome = self.parking.is_some().then_some(Outcome::Parked);
            return;
        }
        let is_own = self.may_be_committed && entry.version == self.version;
        self.outcome = Some(if is_own { self.applied_outcome() } else { Outcome::Duplicate });
    }

    /// The difference that the change makes to each group's count.
    fn deltas(&self) -> BTreeMap<String, i64> {
        let before = self.read_entry().and_then(|entry| entry.standing.group());
        let after = self.standing.group();
        let mut deltas = BTreeMap::new();
        if before != after {
            deltas.extend(before.map(|group| (group.to_owned(), -1)));
            deltas.extend(after.map(|group| (group.to_owned(), 1)));
        }
        deltas
    }

    /// The record can never be committed as it is: it is parked instead, and adds nothing.
    fn park_instead(&mut self, reason: &str) {
        if self.parking.is_some() {
            // Not even the parked state can be written; whatever is in the way may be mended.
            self.outcome = Some(Outcome::Failed);
        } else {
            self.parking = Some(reason.to_owned());
            self.standing = Standing::Parked;
        }
    }
}

/// The work of a `count` view on one batch.
#[derive(Debug)]
pub(super) struct CountTask {
    view: Arc<CountView>,
    changes: Vec<OpenChange>,
    in_flight: Vec<Pack>,
    /// Contention shrinks it: small transactions get through where large ones collide.
    action_count_max: usize,
    contended_round_count: u32,
    /// One of several changes is invalid, and it was not said which: each goes alone.
    is_each_alone: bool,
}

impl CountTask {
    pub(super) fn new(view: Arc<CountView>, changes: Vec<OpenChange>) -> Self {
        Self {
            view,
            changes,
            in_flight: Vec::new(),
            action_count_max: TRANSACTION_ACTIONS_MAX,
            contended_round_count: 0,
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
                Some(Parking { index: change.index, reason, part: None })
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
        pack(packables, self.action_count_max)
    }

    /// The ledger writes in the order of the pack's changes, then one `ADD` for each count.
    fn transaction(&self, pack: &Pack) -> Transaction {
        let mut writes = Vec::new();
        let mut sums: BTreeMap<String, i64> = BTreeMap::new();
        for change in pack.changes.iter().filter_map(|place| self.changes.get(*place)) {
            let entry =
                Entry { version: change.version.clone(), standing: change.standing.clone() };
            writes.push(entry.write(
                &self.view.name,
                &self.view.definition,
                &change.source_key,
                change.read_entry(),
            ));
            for (group, delta) in change.deltas() {
                *sums.entry(group).or_insert(0) += delta;
            }
        }
        let counts = sums.into_iter().filter(|(_, sum)| *sum != 0).map(|(group, sum)| Write {
            key: self.view.target.key(&group),
            action: Action::Update(Changes {
                add: [(self.view.target.count_attribute.clone(), sum)].into(),
                ..Changes::default()
            }),
            conditions: Vec::new(),
            read_byte_count: 0,
        });
        writes.extend(counts);
        Transaction { writes }
    }

    /// Notes how a round of commits went: one in which nothing at all got through, after another,
    /// is followed by smaller transactions.
    fn note_round(&mut self, results: &[Committed], largest: usize) {
        if results.iter().any(Result::is_ok) {
            self.contended_round_count = 0;
        } else if results.iter().any(|it| matches!(it, Err(Refusal::Contended))) {
            self.contended_round_count += 1;
            if self.contended_round_count > 1 {
                self.action_count_max = self.action_count_max.min(largest / 2).max(ACTIONS_MIN);
            }
        }
    }

    fn refused(&mut self, pack: &Pack, refusal: &Refusal) {
        match refusal {
            Refusal::Changed(writes) => self.for_writes(pack, writes, |change| {
                change.entry = Known::Nothing;
            }),
            Refusal::Contended => {}
            Refusal::Unknown => self.for_writes(pack, &[], |change| {
                change.entry = Known::Nothing;
                change.may_be_committed = true;
            }),
            Refusal::Invalid(writes) => self.invalid(pack, writes),
        }
    }

    /// A ledger entry that cannot be written parks its record. A count that cannot be added to is
    /// broken itself: the records that touch it fail until it is mended, and no others.
    fn invalid(&mut self, pack: &Pack, writes: &[usize]) {
        let transaction = self.transaction(pack);
        let broken: BTreeSet<_> = writes
            .iter()
            .filter(|write| **write >= pack.changes.len())
            .filter_map(|write| Some(transaction.writes.get(*write)?.key.clone()))
            .collect();
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
        self.in_flight = disjoint(self.packs());
        if self.in_flight.is_empty() {
            return Step::Done;
        }
        Step::Commit(self.in_flight.iter().map(|pack| self.transaction(pack)).collect())
    }

    fn answered(&mut self, answers: Vec<(Read, Answer)>) {
        let mut answers: BTreeMap<Read, Answer> = answers.into_iter().collect();
        for change in self.open_changes().filter(|it| matches!(it.entry, Known::Nothing)) {
            let answer = answers.remove(&Read::Item(change.ledger_key.clone()));
            let Some(Answer::Item(item)) = answer else {
                continue;
            };
            match item.map(|item| Entry::from_item(&item)).transpose() {
                Ok(entry) => change.entry = Known::Entry(entry),
                // Whoever wrote it can mend it, and the record comes again.
                Err(_) => change.outcome = Some(Outcome::Failed),
            }
        }
    }

    fn committed(&mut self, results: Vec<Committed>) {
        let largest = self.in_flight.iter().map(Pack::action_count).max().unwrap_or(0);
        self.note_round(&results, largest);
        for (pack, result) in std::mem::take(&mut self.in_flight).into_iter().zip(results) {
            match result {
                Ok(()) => self.for_writes(&pack, &[], |change| {
                    change.outcome = Some(change.applied_outcome());
                }),
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
