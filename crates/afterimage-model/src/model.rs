//! The model: which turns there are in a state, and what each leads to.

mod exploration;
mod turn;

use std::sync::Arc;

use afterimage::engine::{Read, Step};

use crate::action::{Action, Fate};
use crate::automaton::Automaton;
use crate::bounds::Bounds;
use crate::deployment::{Deployment, DeploymentError};
use crate::invocation::{Invocation, Work};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use crate::state::State;
use crate::world::{Era, RequestFault, Shown, World};

/// A scenario within its bounds.
#[derive(Debug)]
pub struct Model {
    pub(crate) scenario: &'static Scenario,
    pub(crate) bounds: Bounds,
    pub(crate) sabotage: Sabotage,
    pub(crate) deployment: Deployment,
    pub(crate) automaton: Automaton,
    /// The world when the stream begins.
    pub(crate) beginning: Arc<World>,
    beginning_fault: Option<Arc<str>>,
}

impl Model {
    /// A model of a scenario.
    ///
    /// # Errors
    /// [`DeploymentError`] where the shipped tables and views cannot be used.
    pub fn new(
        scenario: &'static Scenario,
        bounds: Bounds,
        sabotage: Sabotage,
    ) -> Result<Self, DeploymentError> {
        let deployment = Deployment::new()?;
        let mut beginning = World::default();
        let made: Result<(), RequestFault> = scenario
            .before
            .iter()
            .try_for_each(|change| beginning.apply(&deployment, Era::Before, change));
        Ok(Self {
            beginning: beginning.seal(&deployment),
            beginning_fault: made.err().map(|fault| fault.to_string().into()),
            scenario,
            bounds,
            sabotage,
            deployment,
            automaton: Automaton::default(),
        })
    }

    /// The batches that a processor can begin with: records that wait, and one that does not.
    fn starts(&self, state: &State, actions: &mut Vec<Action>) {
        if state.invocations.len() == self.bounds.processors {
            return;
        }
        let may_repeat = state.spent.duplicates < self.bounds.duplicates;
        let stream = state.world.stream.iter().enumerate();
        let candidates: Vec<(usize, bool)> = stream
            .map(|(place, it)| (place, state.is_acknowledged(it) || state.is_in_hand(it)))
            .filter(|(_, is_repeated)| may_repeat || !is_repeated)
            .collect();
        for chosen in 1_u64..(1 << candidates.len().min(20)) {
            if chosen.count_ones() as usize > self.bounds.batch {
                continue;
            }
            let batch = candidates.iter().enumerate().filter(|(bit, _)| chosen >> bit & 1 == 1);
            let batch: Vec<_> = batch.map(|(_, candidate)| *candidate).collect();
            if batch.iter().filter(|(_, is_repeated)| *is_repeated).count() <= 1 {
                let places = batch.into_iter().map(|(place, _)| place).collect();
                actions.push(Action::Start { places });
            }
        }
    }

    /// What can happen to an invocation.
    fn turns(
        &self,
        state: &State,
        place: usize,
        invocation: &Invocation,
        actions: &mut Vec<Action>,
    ) {
        if invocation.is_visible && state.spent.crashes < self.bounds.crashes {
            actions.push(Action::Crash { place });
        }
        if invocation.is_done() {
            actions.push(Action::Report { place });
            return;
        }
        for (index, work) in invocation.works.iter().enumerate() {
            match &work.node.step {
                Step::Done => {}
                Step::Park(_) => actions.push(Action::Park { place, work: index }),
                Step::Read(reads) => {
                    actions.extend(
                        self.reads(state, reads, work)
                            .into_iter()
                            .map(|(part, shown)| Action::Read { place, work: index, part, shown }),
                    );
                }
                Step::Commit(transactions) => {
                    for part in open_parts(work, transactions.len()) {
                        actions.extend(self.fates(state).into_iter().map(|fate| Action::Commit {
                            place,
                            work: index,
                            part,
                            fate,
                        }));
                    }
                }
            }
        }
    }

    /// Which reads can be answered next, and what the index can show to each.
    fn reads(&self, state: &State, reads: &[Read], work: &Work) -> Vec<(Option<usize>, Shown)> {
        if !self.bounds.reads_apart || reads.len() == 1 {
            let shown = reads.iter().flat_map(|read| self.shown(state, read));
            let mut all: Vec<Shown> = Vec::new();
            for it in shown {
                if !all.contains(&it) {
                    all.push(it);
                }
            }
            return all.into_iter().map(|shown| (None, shown)).collect();
        }
        let parts = open_parts(work, reads.len());
        let parts = parts.filter_map(|part| Some((part, reads.get(part)?)));
        let parts = parts.flat_map(|(part, read)| {
            self.shown(state, read).into_iter().map(move |shown| (Some(part), shown))
        });
        parts.collect()
    }

    /// What the index can show to a read, each different answer once.
    fn shown(&self, state: &State, read: &Read) -> Vec<Shown> {
        if !matches!(read, Read::Suggested { .. }) {
            return vec![Shown::Now];
        }
        let mut answers = Vec::new();
        let mut shown = Vec::new();
        for it in Shown::EVERY {
            let answer = state.world.answer_shown(&self.deployment, &self.beginning, read, it);
            if !answers.contains(&answer) {
                answers.push(answer);
                shown.push(it);
            }
        }
        shown
    }

    fn fates(&self, state: &State) -> Vec<Fate> {
        let mut fates = vec![Fate::Answered];
        if state.spent.contended < self.bounds.contended {
            fates.push(Fate::Contended);
        }
        if state.spent.lost < self.bounds.lost {
            fates.push(Fate::Lost);
        }
        fates
    }
}

fn open_parts(work: &Work, count: usize) -> impl Iterator<Item = usize> + use<'_> {
    (0..count).filter(|part| !work.ends.contains_key(part))
}
