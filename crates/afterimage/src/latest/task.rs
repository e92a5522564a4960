//! The task of one group of a `latest` view: read, plan, commit, until no row lags behind.

use std::collections::BTreeSet;

use super::advance::Advance;
use super::head::{Head, head_key};
use super::plan::{Commit, Plan, Unfit, plan};
use super::state::{Again, GroupState, RowHint, SourceRecord};
use crate::engine::{Answer, Committed, Parking, Read, Refusal, Step, Task};
use crate::key::ItemKey;
use crate::limits::SUGGESTED_ROWS_MAX;
use crate::outcome::Outcome;
use crate::owner_name::OwnerName;
use crate::parked::{ParkedRows, RowCause};

/// The work on one group.
#[derive(Debug)]
pub(super) struct GroupTask {
    state: GroupState,
    parking: Option<Unfit>,
    in_flight: Option<Commit>,
    advance: Advance,
    /// Owners whose rows or places this task changed.
    touched_owners: BTreeSet<OwnerName>,
    is_source_committed: bool,
    progress: Progress,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Open,
    /// The head cannot be read or written, or commits bring nothing nearer. Somebody has to mend it, and the
    /// records come again.
    Broken,
    /// No row lags behind; the source record, if there is one, has this outcome.
    Done(Option<Outcome>),
}

impl GroupTask {
    pub(super) fn new(state: GroupState) -> Self {
        Self {
            state,
            parking: None,
            in_flight: None,
            advance: Advance::default(),
            touched_owners: BTreeSet::new(),
            is_source_committed: false,
            progress: Progress::Open,
        }
    }

    /// The parking of unfit rows: by a record of theirs if there is one, or else by the one that makes them move.
    fn parkings(&self, unfit: &Unfit) -> Vec<Parking> {
        let (owner, cause, reason) = match unfit {
            Unfit::Unwritable { owner, reason } => {
                (Some(owner), RowCause::Unwritable, reason.clone())
            }
            Unfit::Beyond { .. } => {
                let max = self.state.view.rows.max;
                let reason = format!("the group has {max} rows, the most that the view allows");
                (None, RowCause::Beyond, reason)
            }
            Unfit::Crowded { owner } => {
                let reason = "the owner has more rows of the group than a head can register";
                (Some(owner), RowCause::Crowded, reason.to_owned())
            }
            Unfit::Cut => {
                let reason =
                    format!("the index holds {SUGGESTED_ROWS_MAX} items of the group or more");
                (None, RowCause::Unseen, reason)
            }
        };
        let is_theirs = |hint: &&RowHint| match unfit {
            Unfit::Unwritable { owner, .. } | Unfit::Crowded { owner } => hint.owner == *owner,
            Unfit::Beyond { owners } => owners.contains(&hint.owner),
            Unfit::Cut => false,
        };
        let own = self.state.hints.iter().find(is_theirs).map(|hint| hint.index);
        let source = self.state.source.as_ref().map(|source| source.index);
        let hint = self.state.hints.first().map(|hint| hint.index);
        let again = self.state.again.as_ref().map(|(index, _)| *index);
        let index = own.or(source).or(hint).or(again);
        let rows = ParkedRows { group: self.state.group.clone(), owner: owner.cloned(), cause };
        index.map(|index| Parking { index, reason, rows: Some(rows) }).into_iter().collect()
    }

    /// What became of the source record, when no row lags behind and nothing is left to write.
    fn source_outcome(&self, source: &SourceRecord) -> Option<Outcome> {
        if self.is_source_committed {
            return Some(Outcome::Applied);
        }
        let key = head_key(&self.state.view.name, &self.state.group);
        let head = self.state.knowledge.items.get(&key)?.as_ref()?;
        let newest = Head::from_item(head).ok()?.newest?;
        Some(match newest.order == source.order {
            // An interrupted move was brought to its end.
            true if !self.touched_owners.is_empty() => Outcome::Applied,
            true => Outcome::Duplicate,
            false => Outcome::Stale,
        })
    }

    fn finish(&mut self) {
        let source_outcome =
            self.state.source.as_ref().and_then(|source| self.source_outcome(source));
        self.progress = Progress::Done(source_outcome);
    }

    fn hint_outcome(&self, hint: &RowHint) -> Outcome {
        let unfit = [&self.state.beyond_owners, &self.state.crowded_owners];
        let is_beyond = unfit.iter().any(|owners| owners.contains(&hint.owner));
        if is_beyond || self.state.parked_owners.contains(&hint.owner) {
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
                self.state.parked_owners.contains(owner)
                    || self.state.crowded_owners.contains(owner)
            }
            Again::Unregistered => {
                !self.state.parked_owners.is_empty()
                    || !self.state.beyond_owners.is_empty()
                    || self.state.is_cut_parked
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
        match &result {
            Ok(()) => self.advance.committed(commit.left),
            Err(_) => self.advance.set_back(),
        }
        match result {
            Ok(()) => {
                self.state.learn(&commit.transaction);
                self.state.release_rows();
                self.note(commit);
            }
            Err(Refusal::Changed(_) | Refusal::Contended | Refusal::Throttled) => {
                self.state.forget();
            }
            Err(Refusal::Unknown) => {
                // If it was committed, the next look at the head finds nothing left to do.
                self.note(commit);
                self.state.forget();
            }
            Err(Refusal::Invalid(writes)) => {
                self.state.forget();
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
        let told: Vec<_> =
            writes.iter().filter_map(|write| commit.transaction.writes.get(*write)).collect();
        let is_row = |key: &ItemKey| key.table == self.state.view.definition.table;
        let refused: BTreeSet<OwnerName> = match (told.is_empty(), commit.owners.as_slice()) {
            (true, [owner]) => [owner.clone()].into(),
            (true, owners) if !owners.is_empty() => {
                self.state.owner_count_max = owners.len() / 2;
                return;
            }
            _ if told.iter().all(|write| is_row(&write.key)) => {
                told.iter().filter_map(|it| it.key.partition.as_string()?.parse().ok()).collect()
            }
            _ => BTreeSet::new(),
        };
        if refused.is_subset(&self.state.refused_owners) {
            self.progress = Progress::Broken;
        }
        self.state.refused_owners.extend(refused);
    }
}

impl Task for GroupTask {
    fn next(&mut self) -> Step {
        match self.progress {
            Progress::Broken | Progress::Done(_) => return Step::Done,
            Progress::Open => {}
        }
        match plan(&self.state) {
            Plan::Read(reads) => Step::Read(reads),
            Plan::Commit(_) if self.advance.is_in_circles() => {
                self.progress = Progress::Broken;
                Step::Done
            }
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
                self.progress = Progress::Broken;
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
                    self.state.knowledge.items.insert(key, item);
                }
                (Read::Last { .. }, Answer::Item(item)) => self.state.found_last(item),
                (Read::Suggested { limit, .. }, Answer::Suggested(items)) => {
                    self.state.found_suggested(&items, limit);
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
                self.state.parked_owners.insert(owner);
            }
            Some(Unfit::Beyond { owners }) => self.state.beyond_owners.extend(owners),
            Some(Unfit::Crowded { owner }) => {
                self.state.crowded_owners.insert(owner);
            }
            Some(Unfit::Cut) => self.state.is_cut_parked = true,
            None => {}
        }
    }

    fn outcomes(&self) -> Vec<(usize, Option<Outcome>)> {
        let Progress::Done(source_outcome) = self.progress else {
            let hints = self.state.hints.iter().map(|hint| hint.index);
            let again = self.state.again.iter().map(|(index, _)| *index);
            let all = self.state.source.iter().map(|source| source.index).chain(hints).chain(again);
            return all.map(|index| (index, None)).collect();
        };
        if let Some((index, again)) = &self.state.again {
            return vec![(*index, Some(self.again_outcome(again)))];
        }
        let source = self.state.source.iter().map(|source| (source.index, source_outcome));
        let hints = self.state.hints.iter().map(|hint| (hint.index, Some(self.hint_outcome(hint))));
        source.chain(hints).collect()
    }
}
