//! The task of one group of a `latest` view: read, plan, commit, until no row lags behind.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::LatestView;
use super::head::{Head, head_key};
use super::owner::Known;
use super::plan::{Commit, Plan, Unfit, plan};
use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::engine::{Answer, Committed, Parking, Read, Refusal, Settled, Step, Task};
use crate::key::ItemKey;
use crate::limits::{CHUNK_OWNERS_MAX, COPIED_BYTES_MAX, SUGGESTED_ROWS_MAX};
use crate::outcome::Outcome;
use crate::version::Version;
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
    /// The last source item that was found to be larger than a head can hold.
    pub too_large: Option<ItemKey>,
    /// What the index suggests, where it was asked.
    pub suggested: Option<Suggested>,
}

/// Rows that the index suggests.
#[derive(Debug)]
pub(super) struct Suggested {
    /// Their owners and sort keys.
    pub places: Vec<(String, String)>,
    /// Whether the index holds more.
    pub is_cut: bool,
}

/// Rows that are parked as a part of a record, and are looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Again {
    /// The registered rows of this owner, which could not be written.
    Owner(String),
    /// Rows that no head registers, since the group had too many.
    Unregistered,
}

/// The work on one group.
#[derive(Debug)]
pub(super) struct GroupTask {
    pub view: Arc<LatestView>,
    pub group: String,
    pub source: Option<SourceRecord>,
    pub hints: Vec<RowHint>,
    /// The parked rows that the task is for, where it is a retry of such.
    pub again: Option<Again>,
    pub knowledge: Knowledge,
    /// Owners whose rows DynamoDB refused to write.
    pub refused_owners: BTreeSet<String>,
    /// Owners whose rows are parked, durably, since they cannot be written.
    pub parked_owners: BTreeSet<String>,
    /// Owners whose rows are parked, durably, since the group has too many.
    pub beyond_owners: BTreeSet<String>,
    /// Owners of whose rows those are parked, durably, that a head cannot register.
    pub crowded_owners: BTreeSet<String>,
    /// Whether it is parked, durably, that the index holds more than was looked at.
    pub is_cut_parked: bool,
    /// How many owners one transaction takes.
    pub owner_count_max: usize,
    parking: Option<Unfit>,
    in_flight: Option<Commit>,
    /// Owners whose rows or places this task changed.
    touched_owners: BTreeSet<String>,
    is_source_committed: bool,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    /// The head cannot be read or written; somebody has to mend it, and the records come again.
    Broken,
    /// No row lags behind; the source record, if there is one, has this outcome.
    Done(Option<Outcome>),
}

impl GroupTask {
    pub(super) fn new(view: Arc<LatestView>, group: &str) -> Self {
        Self {
            view,
            group: group.to_owned(),
            source: None,
            hints: Vec::new(),
            again: None,
            knowledge: Knowledge::default(),
            refused_owners: BTreeSet::new(),
            parked_owners: BTreeSet::new(),
            owner_count_max: CHUNK_OWNERS_MAX,
            beyond_owners: BTreeSet::new(),
            crowded_owners: BTreeSet::new(),
            is_cut_parked: false,
            parking: None,
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

    /// The parkings of unfit rows: of each by its own record, or else by the one that makes it move.
    fn parkings(&self, unfit: &Unfit) -> Vec<Parking> {
        let (owners, reason, part) = match unfit {
            Unfit::Unwritable { owner, reason } => {
                (std::slice::from_ref(owner), reason.clone(), owner.clone())
            }
            Unfit::Beyond { owners } => {
                let max = self.view.rows.max;
                let reason = format!("the group has {max} rows, the most that the view allows");
                (owners.as_slice(), reason, format!("{} rows beyond the limit", owners.len()))
            }
            Unfit::Crowded { owner } => {
                let reason = "the owner has more rows of the group than a head can register";
                (std::slice::from_ref(owner), reason.to_owned(), owner.clone())
            }
            Unfit::Cut => {
                let reason =
                    format!("the index holds {SUGGESTED_ROWS_MAX} items of the group or more");
                (&[][..], reason, "rows that the index did not show".to_owned())
            }
        };
        let hints = self.hints.iter().filter(|hint| owners.contains(&hint.owner));
        let mut parkings: Vec<_> = hints
            .map(|hint| Parking { index: hint.index, reason: reason.clone(), part: None })
            .collect();
        let is_hinted = |owner: &String| self.hints.iter().any(|hint| hint.owner == *owner);
        let source = self.source.as_ref().map(|source| source.index);
        let first = source.or(self.hints.first().map(|hint| hint.index));
        if !owners.iter().all(is_hinted) || owners.is_empty() {
            let parking = first.map(|index| Parking { index, reason, part: Some(part) });
            parkings.extend(parking);
        }
        parkings
    }

    /// What became of the source record, when no row lags behind and nothing is left to write.
    fn source_outcome(&self, source: &SourceRecord) -> Option<Outcome> {
        if self.is_source_committed {
            return Some(Outcome::Applied);
        }
        let key = head_key(&self.view.name, &self.group);
        let head = self.knowledge.items.get(&key)?.as_ref()?;
        let newest = Head::from_item(head).ok()?.newest?;
        Some(match newest.order == source.order {
            // An interrupted move was brought to its end.
            true if !self.touched_owners.is_empty() => Outcome::Applied,
            true => Outcome::Duplicate,
            false => Outcome::Stale,
        })
    }

    fn finish(&mut self) {
        let source_outcome = self.source.as_ref().and_then(|source| self.source_outcome(source));
        self.state = State::Done(source_outcome);
    }

    fn hint_outcome(&self, hint: &RowHint) -> Outcome {
        let unfit = [&self.beyond_owners, &self.crowded_owners];
        let is_beyond = unfit.iter().any(|owners| owners.contains(&hint.owner));
        if is_beyond || self.parked_owners.contains(&hint.owner) {
            Outcome::Parked
        } else if self.touched_owners.contains(&hint.owner) {
            Outcome::Applied
        } else {
            Outcome::Skipped
        }
    }

    /// What became of the parked rows that the task is for.
    fn again_outcome(&self, again: &Again) -> Outcome {
        let is_parked = match again {
            Again::Owner(owner) => {
                self.parked_owners.contains(owner) || self.crowded_owners.contains(owner)
            }
            Again::Unregistered => {
                !self.parked_owners.is_empty()
                    || !self.beyond_owners.is_empty()
                    || self.is_cut_parked
            }
        };
        if is_parked {
            Outcome::Parked
        } else if self.is_source_committed || !self.touched_owners.is_empty() {
            Outcome::Applied
        } else {
            Outcome::Duplicate
        }
    }

    fn commit_ended(&mut self, commit: &Commit, result: Committed) {
        match result {
            Ok(()) => {
                learn(&mut self.knowledge.items, &commit.transaction);
                self.release_rows();
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

    /// Takes the newest source item of the table, unless it is larger than a head can hold: its record
    /// is parked, and the one before it counts.
    fn found_last(&mut self, item: Option<Item>) {
        let too_large = item
            .as_ref()
            .filter(|item| item_byte_count(&self.view.copied(item)) > COPIED_BYTES_MAX)
            .and_then(|item| ItemKey::of_item(&self.view.definition, item));
        match too_large {
            Some(key) => self.knowledge.too_large = Some(key),
            None => self.knowledge.last = Some(item),
        }
    }

    fn note(&mut self, commit: &Commit) {
        self.touched_owners.extend(commit.owners.iter().cloned());
        self.is_source_committed |= commit.takes_source;
    }

    /// Forgets rows that are done, which may be large; that a row is absent is worth remembering.
    fn release_rows(&mut self) {
        let hints = &self.hints;
        let view = &self.view;
        let is_hinted =
            |key: &ItemKey| hints.iter().any(|hint| view.row_key(&hint.owner, &hint.sort) == *key);
        self.knowledge.items.retain(|key, item| {
            item.is_none() || key.table != view.definition.table || is_hinted(key)
        });
    }

    /// Sets those owners apart whose rows DynamoDB refuses, so that the others can move.
    fn refuse_owners(&mut self, commit: &Commit, writes: &[usize]) {
        let told: Vec<_> =
            writes.iter().filter_map(|write| commit.transaction.writes.get(*write)).collect();
        let is_row = |key: &ItemKey| key.table == self.view.definition.table;
        let refused: BTreeSet<String> = match (told.is_empty(), commit.owners.as_slice()) {
            (true, [owner]) => [owner.clone()].into(),
            (true, owners) if !owners.is_empty() => {
                self.owner_count_max = owners.len() / 2;
                return;
            }
            _ if told.iter().all(|write| is_row(&write.key)) => told
                .iter()
                .filter_map(|it| it.key.partition.as_string().map(str::to_owned))
                .collect(),
            _ => BTreeSet::new(),
        };
        if refused.is_subset(&self.refused_owners) {
            self.state = State::Broken;
        }
        self.refused_owners.extend(refused);
    }
}

impl Task for GroupTask {
    fn next(&mut self) -> Step {
        match self.state {
            State::Broken | State::Done(_) => return Step::Done,
            State::Open => {}
        }
        match plan(self) {
            Plan::Read(reads) => Step::Read(reads),
            Plan::Commit(commit) => {
                let transaction = commit.transaction.clone();
                self.in_flight = Some(commit);
                Step::Commit(vec![transaction])
            }
            Plan::Park(unfit) => {
                let parkings = self.parkings(&unfit);
                self.parking = Some(unfit);
                Step::Park(parkings)
            }
            Plan::Broken => {
                self.state = State::Broken;
                Step::Done
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
                (Read::Last { .. }, Answer::Item(item)) => self.found_last(item),
                (Read::Suggested { limit, .. }, Answer::Suggested(items)) => {
                    let places = items.iter().filter_map(|item| suggestion(&self.view, item));
                    let places = places.collect();
                    self.knowledge.suggested =
                        Some(Suggested { places, is_cut: items.len() >= limit });
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
        match self.parking.take() {
            Some(Unfit::Unwritable { owner, .. }) => {
                self.parked_owners.insert(owner);
            }
            Some(Unfit::Beyond { owners }) => self.beyond_owners.extend(owners),
            Some(Unfit::Crowded { owner }) => {
                self.crowded_owners.insert(owner);
            }
            Some(Unfit::Cut) => self.is_cut_parked = true,
            None => {}
        }
    }

    fn outcomes(&self) -> Vec<(usize, Option<Outcome>)> {
        let State::Done(source_outcome) = self.state else {
            let hints = self.hints.iter().map(|hint| hint.index);
            let all = self.source.iter().map(|source| source.index).chain(hints);
            return all.map(|index| (index, None)).collect();
        };
        if let Some(again) = &self.again {
            let outcome = Some(self.again_outcome(again));
            let hints = self.hints.iter().map(|hint| hint.index);
            let all = self.source.iter().map(|source| source.index).chain(hints);
            return all.map(|index| (index, outcome)).collect();
        }
        let source = self.source.iter().map(|source| (source.index, source_outcome));
        let hints = self.hints.iter().map(|hint| (hint.index, Some(self.hint_outcome(hint))));
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
