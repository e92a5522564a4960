//! A batch in the hands of a processor.

use std::collections::BTreeMap;
use std::sync::Arc;

use afterimage::batch::RecordOutcomes;
use afterimage::engine::{Answer, Committed, Step};

use crate::automaton::{Automaton, Input, Opened, TaskNode};
use crate::deployment::Deployment;
use crate::identity;
use crate::world::Delivered;

/// A processor at work on a batch.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// What stories call the processor; two processors with the same work are the same to the model.
    pub(crate) name: char,
    pub(crate) records: Vec<Arc<Delivered>>,
    pub(crate) works: Vec<Work>,
    /// Whether it wrote anything, or may have: a processor that dies before is as if it never began.
    pub(crate) is_visible: bool,
    /// Rounds of commits in a row in which something was refused; saturates beyond the limit.
    pub(crate) set_back_count: u8,
    opened: Arc<Opened>,
    identity: u64,
}

/// A task, and what it was answered of its present step so far.
#[derive(Debug, Clone)]
pub(crate) struct Work {
    pub(crate) node: Arc<TaskNode>,
    pub(crate) ends: BTreeMap<usize, End>,
}

/// The answer to one part of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Answer(Answer),
    Committed(Committed),
}

/// Set-backs in a row after which the engine gives a batch up.
pub(crate) const SET_BACKS_MAX: u8 = 12;

impl Invocation {
    pub(crate) fn begin(
        automaton: &Automaton,
        deployment: &Deployment,
        name: char,
        records: Vec<Arc<Delivered>>,
    ) -> Self {
        let opened = automaton.open(deployment, &records);
        let works = opened.nodes.iter();
        let works = works.map(|node| Work { node: Arc::clone(node), ends: BTreeMap::new() });
        let mut invocation = Self {
            name,
            works: works.collect(),
            is_visible: false,
            set_back_count: 0,
            opened,
            identity: 0,
            records,
        };
        invocation.seal();
        invocation
    }

    /// Equal for invocations that go on equally.
    pub(crate) fn identity(&self) -> u64 {
        self.identity
    }

    /// Ends a change of the invocation.
    pub(crate) fn seal(&mut self) {
        let records: Vec<_> = self.records.iter().map(|record| record.identity).collect();
        let end = |(part, end): (&usize, &End)| (*part, identity::of_text(end));
        let work =
            |work: &Work| (work.node.identity, work.ends.iter().map(end).collect::<Vec<_>>());
        let works: Vec<_> = self.works.iter().map(work).collect();
        self.identity = identity::of(&(records, works, self.is_visible, self.set_back_count));
    }

    pub(crate) fn is_done(&self) -> bool {
        self.works.iter().all(|work| work.node.is_done())
    }

    /// Takes the ends of parts of a work's step, and tells the task once all parts have one.
    pub(crate) fn end_parts(
        &mut self,
        automaton: &Automaton,
        deployment: &Deployment,
        work: usize,
        ends: impl IntoIterator<Item = (usize, End)>,
    ) -> Option<()> {
        let work = self.works.get_mut(work)?;
        work.ends.extend(ends);
        let part_count = part_count(&work.node.step);
        if work.ends.len() == part_count {
            let ends = std::mem::take(&mut work.ends).into_values().collect();
            let input = input(&work.node.step, ends);
            self.set_back_count = match &input {
                Input::Results(results) if results.iter().any(Result::is_ok) => 0,
                Input::Results(_) => (self.set_back_count + 1).min(SET_BACKS_MAX + 1),
                Input::Answers(_) | Input::Parked => self.set_back_count,
            };
            work.node = automaton.tell(deployment, &work.node, input)?;
        }
        self.seal();
        Some(())
    }

    /// The outcomes of each record in the views that read it; what is not done is failed.
    pub(crate) fn outcomes(&self) -> Vec<RecordOutcomes> {
        let nodes = self.works.iter().map(|work| &work.node);
        self.opened.batch.outcomes(nodes.map(|it| (it.view.as_str(), it.outcomes.clone())))
    }

    /// The records, for stories.
    pub(crate) fn titles(&self) -> String {
        let titles: Vec<_> = self.records.iter().map(|record| record.title()).collect();
        titles.join(", ")
    }
}

/// How many ends a step waits for.
pub(crate) fn part_count(step: &Step) -> usize {
    match step {
        Step::Read(reads) => reads.len(),
        Step::Commit(transactions) => transactions.len(),
        Step::Park(_) | Step::Done => 0,
    }
}

fn input(step: &Step, ends: Vec<End>) -> Input {
    let mut answers = Vec::new();
    let mut results = Vec::new();
    for end in ends {
        match end {
            End::Answer(answer) => answers.push(answer),
            End::Committed(committed) => results.push(committed),
        }
    }
    match step {
        Step::Read(reads) => Input::Answers(reads.iter().cloned().zip(answers).collect()),
        Step::Commit(_) => Input::Results(results),
        Step::Park(_) | Step::Done => Input::Parked,
    }
}
