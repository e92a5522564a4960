//! What a turn leads to.

use std::sync::Arc;

use afterimage::Outcome;
use afterimage::engine::{Refusal, Step};
use afterimage::write::Transaction;

use super::Model;
use crate::action::{Action, Fate};
use crate::invocation::{End, Invocation};
use crate::sabotage::Sabotage;
use crate::state::{InFlight, State};
use crate::world::{CommitEnd, Era, RequestFault, Shown, World};

/// Why a turn went wrong.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TurnFault {
    #[error("invalid request: {0}")]
    Request(#[from] RequestFault),
    #[error("a record was given up: {title}")]
    GivenUp { title: String },
    #[error("the model took a turn that is none: {0:?}")]
    NoTurn(Action),
}

impl Model {
    pub(super) fn take(&self, next: &mut State, action: &Action) -> Result<(), TurnFault> {
        let taken = match action {
            Action::Change => return self.change(next),
            Action::Start { places } => self.start(next, places),
            Action::Read { place, work, part, shown } => {
                self.read(next, *place, *work, *part, *shown)
            }
            Action::Commit { place, work, part, fate } => {
                let taken = self.commit(next, *place, *work, *part, *fate);
                taken.transpose()?
            }
            Action::Park { place, work } => self.park(next, *place, *work),
            Action::Report { place } => return self.report(next, *place, action),
            Action::Crash { place } => {
                next.spent.crashes += 1;
                remove(&mut next.invocations, *place).map(drop)
            }
            Action::Land { flight } => self.land(next, *flight).transpose()?,
        };
        taken.ok_or_else(|| TurnFault::NoTurn(action.clone()))
    }

    fn change(&self, next: &mut State) -> Result<(), TurnFault> {
        let mut world = World::clone(&next.world);
        if let Some(change) = self.scenario.script.get(next.change_count) {
            world.apply(&self.deployment, Era::Streamed, change)?;
        }
        next.change_count += 1;
        next.world = world.seal(&self.deployment);
        Ok(())
    }

    fn start(&self, next: &mut State, places: &[usize]) -> Option<()> {
        let records = places.iter().map(|place| next.world.stream.get(*place).cloned());
        let records: Vec<_> = records.collect::<Option<_>>()?;
        let is_repeated = |record| next.is_acknowledged(record) || next.is_in_hand(record);
        next.spent.duplicates += u8::from(records.iter().any(|it| is_repeated(it)));
        let is_free = |name: &char| next.invocations.iter().all(|it| it.name != *name);
        let name = ('A'..='Z').find(is_free)?;
        if self.sabotage == Sabotage::AcknowledgedEarly {
            records.iter().for_each(|record| next.acknowledge(record));
        }
        next.invocations.push(Invocation::begin(&self.automaton, &self.deployment, name, records));
        Some(())
    }

    fn read(
        &self,
        next: &mut State,
        place: usize,
        work: usize,
        part: Option<usize>,
        shown: Shown,
    ) -> Option<()> {
        let world = match self.sabotage {
            Sabotage::ReadsLag => Arc::clone(&self.beginning),
            _ => Arc::clone(&next.world),
        };
        let invocation = next.invocations.get_mut(place)?;
        let Step::Read(reads) = &invocation.works.get(work)?.node.step else {
            return None;
        };
        let wanted =
            reads.iter().enumerate().filter(|(index, _)| part.is_none_or(|it| it == *index));
        let ends = wanted.map(|(index, read)| {
            let answer = world.answer_shown(&self.deployment, &self.beginning, read, shown);
            (index, End::Answer(answer))
        });
        let ends: Vec<_> = ends.collect();
        invocation.end_parts(&self.automaton, &self.deployment, work, ends)
    }

    fn commit(
        &self,
        next: &mut State,
        place: usize,
        work: usize,
        part: usize,
        fate: Fate,
    ) -> Option<Result<(), TurnFault>> {
        let Step::Commit(transactions) = &next.invocations.get(place)?.works.get(work)?.node.step
        else {
            return None;
        };
        let transaction = transactions.get(part)?.clone();
        let committed = match fate {
            Fate::Contended => {
                next.spent.contended += 1;
                Err(Refusal::Contended)
            }
            Fate::Lost => {
                next.spent.lost += 1;
                next.in_flight.push(InFlight::new(transaction, false));
                Err(Refusal::Unknown)
            }
            Fate::Answered => match self.write(next, &transaction) {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) if self.sabotage == Sabotage::RefusalsHidden => Ok(()),
                Ok(Err(failed)) => Err(Refusal::Changed(failed)),
                Err(fault) => return Some(Err(fault.into())),
            },
        };
        let invocation = next.invocations.get_mut(place)?;
        invocation.is_visible |= matches!(committed, Ok(()) | Err(Refusal::Unknown));
        invocation
            .end_parts(&self.automaton, &self.deployment, work, [(part, End::Committed(committed))])
            .map(Ok)
    }

    /// Commits a transaction, or says which conditions failed.
    fn write(
        &self,
        next: &mut State,
        transaction: &Transaction,
    ) -> Result<Result<(), Vec<usize>>, RequestFault> {
        let mut world = World::clone(&next.world);
        let end = world.commit(&self.deployment, transaction, self.sabotage)?;
        match end {
            CommitEnd::Refused(failed) => return Ok(Err(failed)),
            CommitEnd::Torn(rest) => next.in_flight.push(InFlight::new(rest, true)),
            CommitEnd::Committed => {}
        }
        next.world = world.seal(&self.deployment);
        Ok(Ok(()))
    }

    fn park(&self, next: &mut State, place: usize, work: usize) -> Option<()> {
        let invocation = next.invocations.get_mut(place)?;
        let Step::Park(parkings) = &invocation.works.get(work)?.node.step else {
            return None;
        };
        let parked = parkings.iter().map(|parking| invocation.records.get(parking.index));
        let parked = parked.map(|record| Some(record?.identity)).collect::<Option<Vec<_>>>()?;
        if self.sabotage != Sabotage::ParkedOnPaper {
            let mut world = World::clone(&next.world);
            world.parked.extend(parked);
            next.world = world.seal(&self.deployment);
        }
        invocation.is_visible = true;
        invocation.end_parts(&self.automaton, &self.deployment, work, [])
    }

    /// A processor that is done says what became of its records; those that are, never come again.
    fn report(&self, next: &mut State, place: usize, action: &Action) -> Result<(), TurnFault> {
        let invocation = remove(&mut next.invocations, place)
            .ok_or_else(|| TurnFault::NoTurn(action.clone()))?;
        let outcomes = invocation.outcomes();
        for (index, record) in invocation.records.iter().enumerate() {
            let is_done = outcomes.get(index).is_some_and(|outcomes| {
                let is_failed = |(_, outcome): &(_, Outcome)| *outcome == Outcome::Failed;
                !outcomes.is_empty() && !outcomes.iter().any(is_failed)
            });
            if !is_done {
                return Err(TurnFault::GivenUp { title: record.title() });
            }
            next.acknowledge(record);
        }
        Ok(())
    }

    /// A commit that nobody waits for reaches the tables after all.
    fn land(&self, next: &mut State, flight: usize) -> Option<Result<(), TurnFault>> {
        let landed = remove(&mut next.in_flight, flight)?;
        let result = if landed.is_rest {
            let mut world = World::clone(&next.world);
            let writes = &landed.transaction.writes;
            let result = world.write_all(&self.deployment, writes, self.sabotage);
            next.world = world.seal(&self.deployment);
            result
        } else {
            self.write(next, &landed.transaction).map(drop)
        };
        Some(result.map_err(TurnFault::from))
    }
}

fn remove<T>(all: &mut Vec<T>, place: usize) -> Option<T> {
    (place < all.len()).then(|| all.remove(place))
}
