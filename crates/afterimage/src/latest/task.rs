//! The task of one group of a `latest` view: read, plan, commit, until no row lags behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::LatestView;
use super::head::{Head, head_key};
use super::owner::Known;
use super::plan::{Commit, Plan, plan};
use crate::attribute_value::{AttributeValue, Item};
use crate::key::ItemKey;
use crate::limits::CHUNK_OWNERS_MAX;
use crate::outcome::Outcome;
use crate::version::Version;
use crate::view::{Answer, Committed, Parking, Read, Refusal, Settled, Step, Task};
use crate::write::{Action, Transaction};

/// A record of a source item.
#[derive(Debug, Clone)]
pub(super) struct SourceRecord {
    pub index: usize,
    pub group: String,
    pub key: ItemKey,
    pub order: String,
    pub version: Version,
    pub copied: Item,
}

/// A record of a row: it says where to look, and nothing else.
#[derive(Debug, Clone)]
pub(super) struct RowHint {
    pub index: usize,
    pub group: String,
    pub owner: String,
    pub sort: String,
    pub version: Version,
}

/// What was read of a group since the last refusal.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// The head, its chunks, rows and source items.
    pub items: Known,
    /// The newest source item in the table, where it was asked for.
    pub last: Option<Option<Item>>,
    /// Owners and sort keys of rows that the index suggests, where it was asked.
    pub suggested: Option<Vec<(String, String)>>,
}

/// The work on one group.
#[derive(Debug)]
pub(super) struct GroupTask {
    pub view: Arc<LatestView>,
    pub group: String,
    pub source: Option<SourceRecord>,
    pub hints: Vec<RowHint>,
    pub knowledge: Knowledge,
    /// Owners whose rows DynamoDB refused to write.
    pub refused_owners: BTreeSet<String>,
    /// Owners whose rows are parked, durably.
    pub parked_owners: BTreeSet<String>,
    /// How many owners one transaction takes.
    pub owner_count_max: usize,
    parking_owner: Option<String>,
    in_flight: Option<Commit>,
    /// Owners whose rows or places this task changed.
    touched_owners: BTreeSet<String>,
    is_source_committed: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The head cannot be read or written: every record is to be parked.
    Broken,
    /// Every record has this outcome.
    Parked,
    Done(Option<Outcome>),
}

impl GroupTask {
    pub(super) fn new(view: Arc<LatestView>, group: &str) -> Self {
        Self {
            view,
            group: group.to_owned(),
            source: None,
            hints: Vec::new(),
            knowledge: Knowledge::default(),
            refused_owners: BTreeSet::new(),
            parked_owners: BTreeSet::new(),
            owner_count_max: CHUNK_OWNERS_MAX,
            parking_owner: None,
            in_flight: None,
            touched_owners: BTreeSet::new(),
            is_source_committed: false,
            state: State::Open,
        }
    }

    /// Takes a source record of the group; of two, the older one is superseded.
    pub(super) fn offer(&mut self, record: SourceRecord) -> Option<Settled> {
        let Some(other) = self.source.as_mut() else {
            self.source = Some(record);
            return None;
        };
        let place = |record: &SourceRecord| (record.order.clone(), record.version.clone());
        let superseded = if place(&record) > place(other) {
            std::mem::replace(other, record).index
        } else {
            record.index
        };
        Some(Settled::Coalesced { index: superseded, by: other.index })
    }

    /// Takes a hint at a row; of two at the same key, the older one is superseded.
    pub(super) fn hint(&mut self, hint: RowHint) -> Option<Settled> {
        let is_same =
            |other: &&mut RowHint| (&other.owner, &other.sort) == (&hint.owner, &hint.sort);
        let Some(other) = self.hints.iter_mut().find(is_same) else {
            self.hints.push(hint);
            return None;
        };
        let superseded = if hint.version > other.version {
            std::mem::replace(other, hint).index
        } else {
            hint.index
        };
        Some(Settled::Coalesced { index: superseded, by: other.index })
    }

    fn forget(&mut self) {
        self.knowledge = Knowledge::default();
    }

    /// The record to park a row with: the row's own, or else the one that makes it move.
    fn index_for_owner(&self, owner: &str) -> Option<usize> {
        let own = self.hints.iter().find(|hint| hint.owner == owner).map(|hint| hint.index);
        let source = self.source.as_ref().map(|source| source.index);
        own.or(source).or(self.hints.first().map(|hint| hint.index))
    }

    fn park_all(&self) -> Vec<Parking> {
        let reason = "the head of the record's group cannot be read or written".to_owned();
        let source = self.source.iter().map(|source| source.index);
        source
            .chain(self.hints.iter().map(|hint| hint.index))
            .map(|index| Parking { index, reason: reason.clone(), part: None })
            .collect()
    }

    /// What became of the source record, when no row lags behind and nothing is left to write.
    fn source_outcome(&self, source: &SourceRecord) -> Option<Outcome> {
        if self.is_source_committed {
            return Some(Outcome::Applied);
        }
        let key = head_key(&self.view.name, &self.group);
        let head = self.knowledge.items.get(&key)?.as_ref()?;
        let newest = Head::from_item(head).ok()?.newest?;
        Some(if newest.order == source.order { Outcome::Duplicate } else { Outcome::Stale })
    }

    fn finish(&mut self) {
        let source_outcome = self.source.as_ref().and_then(|source| self.source_outcome(source));
        self.state = State::Done(source_outcome);
    }

    fn hint_outcome(&self, hint: &RowHint) -> Outcome {
        if self.parked_owners.contains(&hint.owner) {
            Outcome::Parked
        } else if self.touched_owners.contains(&hint.owner) {
            Outcome::Applied
        } else {
            Outcome::Skipped
        }
    }

    fn commit_ended(&mut self, commit: &Commit, result: Committed) {
        match result {
            Ok(()) => {
                learn(&mut self.knowledge.items, &commit.transaction);
                self.note(commit);
            }
            Err(Refusal::Changed(_) | Refusal::Contended) => self.forget(),
            Err(Refusal::Unknown) => {
                // If it was committed, the next look at the head finds nothing left to do.
                self.note(commit);
                self.forget();
            }
            Err(Refusal::Invalid(writes)) => {
                self.forget();
                self.refuse_owners(commit, &writes);
            }
        }
    }

    fn note(&mut self, commit: &Commit) {
        self.touched_owners.extend(commit.owners.iter().cloned());
        self.is_source_committed |= commit.takes_source;
    }

    /// Sets those owners apart whose rows DynamoDB refuses, so that the others can move.
    fn refuse_owners(&mut self, commit: &Commit, writes: &[usize]) {
        let told: Vec<String> = writes
            .iter()
            .filter_map(|write| commit.transaction.writes.get(*write))
            .filter(|write| write.key.table == self.view.source)
            .filter_map(|write| write.key.partition.as_string().map(str::to_owned))
            .collect();
        match (told.is_empty(), commit.owners.as_slice()) {
            (false, _) => self.refused_owners.extend(told),
            (true, [owner]) => {
                self.refused_owners.insert(owner.clone());
            }
            (true, []) => self.state = State::Broken,
            (true, _) => self.owner_count_max = 1,
        }
    }
}

impl Task for GroupTask {
    fn next(&mut self) -> Step {
        match self.state {
            State::Parked | State::Done(_) => return Step::Done,
            State::Broken => return Step::Park(self.park_all()),
            State::Open => {}
        }
        match plan(self) {
            Plan::Read(reads) => Step::Read(reads),
            Plan::Commit(commit) => {
                let transaction = commit.transaction.clone();
                self.in_flight = Some(commit);
                Step::Commit(vec![transaction])
            }
            Plan::Park { owner, reason } => match self.index_for_owner(&owner) {
                Some(index) => {
                    self.parking_owner = Some(owner.clone());
                    Step::Park(vec![Parking { index, reason, part: Some(owner) }])
                }
                None => Step::Done,
            },
            Plan::Broken => {
                self.state = State::Broken;
                Step::Park(self.park_all())
            }
            Plan::Nothing => {
                self.finish();
                Step::Done
            }
        }
    }

    fn answered(&mut self, answers: Vec<(Read, Answer)>) {
        for (read, answer) in answers {
            match (read, answer) {
                (Read::Item(key), Answer::Item(item)) => {
                    self.knowledge.items.insert(key, item);
                }
                (Read::Last { .. }, Answer::Item(item)) => self.knowledge.last = Some(item),
                (Read::Suggested { .. }, Answer::Suggested(items)) => {
                    let places = items.iter().filter_map(|item| suggestion(&self.view, item));
                    self.knowledge.suggested = Some(places.collect());
                }
                (Read::Item(_) | Read::Last { .. }, Answer::Suggested(_))
                | (Read::Suggested { .. }, Answer::Item(_)) => {}
            }
        }
    }

    fn committed(&mut self, results: Vec<Committed>) {
        if let Some((commit, result)) = self.in_flight.take().zip(results.into_iter().next()) {
            self.commit_ended(&commit, result);
        }
    }

    fn parked(&mut self) {
        match self.parking_owner.take() {
            Some(owner) => {
                self.parked_owners.insert(owner);
            }
            None => self.state = State::Parked,
        }
    }

    fn outcomes(&self) -> Vec<(usize, Option<Outcome>)> {
        let decide = |outcome: &dyn Fn() -> Option<Outcome>| match self.state {
            State::Open | State::Broken => None,
            State::Parked => Some(Outcome::Parked),
            State::Done(_) => outcome(),
        };
        let source_outcome = match self.state {
            State::Done(outcome) => outcome,
            State::Open | State::Broken | State::Parked => None,
        };
        let source = self.source.iter().map(|source| (source.index, decide(&|| source_outcome)));
        let hints =
            self.hints.iter().map(|hint| (hint.index, decide(&|| Some(self.hint_outcome(hint)))));
        source.chain(hints).collect()
    }
}

/// The owner and sort key of an item that the index suggests, where its keys are a row's.
fn suggestion(view: &LatestView, item: &Item) -> Option<(String, String)> {
    let text = |name: &String| item.get(name).and_then(AttributeValue::as_string);
    let owner = text(&view.partition_attribute).filter(|_| view.rows.selection.selects(item))?;
    Some((owner.to_owned(), text(&view.sort_attribute)?.to_owned()))
}

/// What is known after a transaction was committed.
fn learn(items: &mut BTreeMap<ItemKey, Option<Item>>, transaction: &Transaction) {
    for write in &transaction.writes {
        match &write.action {
            Action::Put(item) => {
                items.insert(write.key.clone(), Some(item.clone()));
            }
            Action::Delete => {
                items.insert(write.key.clone(), None);
            }
            Action::Update(changes) => {
                if let Some(Some(item)) = items.get_mut(&write.key) {
                    item.extend(changes.set.iter().map(|(name, it)| (name.clone(), it.clone())));
                    item.retain(|name, _| !changes.remove.contains(name));
                }
            }
            Action::Check => {}
        }
    }
}
