//! The core's tasks as automata: what one does next depends on nothing but what it was told.
//!
//! A task cannot be copied, so a node keeps how it came about: the records that it was opened with,
//! and every input since. Each transition is taken once, by telling a new task all of it, and then
//! remembered.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use afterimage::Outcome;
use afterimage::batch::{Batch, ViewTask};
use afterimage::engine::{Answer, Committed, Read, Step, Task};

use crate::deployment::Deployment;
use crate::identity;
use crate::world::Delivered;

/// What a task is told.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Answers(Vec<(Read, Answer)>),
    Results(Vec<Committed>),
    Parked,
}

/// A task in one of its states.
#[derive(Debug)]
pub(crate) struct TaskNode {
    pub(crate) identity: u64,
    /// The view that it works for.
    pub(crate) view: String,
    /// What it wants next.
    pub(crate) step: Step,
    pub(crate) outcomes: Vec<(usize, Option<Outcome>)>,
    origin: Origin,
}

#[derive(Debug)]
enum Origin {
    Opened { records: Vec<Arc<Delivered>>, place: usize },
    Told { node: Arc<TaskNode>, input: Input },
}

/// What the views make of a batch.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) batch: Batch,
    pub(crate) nodes: Vec<Arc<TaskNode>>,
}

/// Every task that was met so far.
#[derive(Debug, Default)]
pub(crate) struct Automaton {
    opened: Mutex<HashMap<Vec<u64>, Arc<Opened>>>,
    told: Mutex<HashMap<(u64, u64), Arc<TaskNode>>>,
}

impl Automaton {
    /// Opens a batch.
    pub(crate) fn open(&self, deployment: &Deployment, records: &[Arc<Delivered>]) -> Arc<Opened> {
        let key: Vec<_> = records.iter().map(|record| record.identity).collect();
        let known = self.opened.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if let Some(opened) = known {
            return opened;
        }
        let (batch, tasks) = open(deployment, records);
        let nodes = tasks.into_iter().enumerate().map(|(place, ViewTask { view, mut task })| {
            let step = task.next();
            let origin = Origin::Opened { records: records.to_vec(), place };
            Arc::new(TaskNode::new(view, &*task, step, origin))
        });
        let opened = Arc::new(Opened { nodes: nodes.collect(), batch });
        let mut all = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, Arc::clone(&opened));
        opened
    }

    /// The task after it was told `input`; `None` where it cannot be opened again, which is a defect.
    pub(crate) fn tell(
        &self,
        deployment: &Deployment,
        node: &Arc<TaskNode>,
        input: Input,
    ) -> Option<Arc<TaskNode>> {
        let key = (node.identity, identity::of_text(&input));
        let known = self.told.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned();
        if known.is_some() {
            return known;
        }
        let mut task = rebuild(deployment, node)?;
        tell(&mut *task, &input);
        let step = task.next();
        let origin = Origin::Told { node: Arc::clone(node), input };
        let next = Arc::new(TaskNode::new(node.view.clone(), &*task, step, origin));
        let mut all = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(key, Arc::clone(&next));
        Some(next)
    }
}

impl TaskNode {
    fn new(view: String, task: &dyn Task, step: Step, origin: Origin) -> Self {
        Self { identity: identity::of_text(&task), view, step, outcomes: task.outcomes(), origin }
    }

    pub(crate) fn is_done(&self) -> bool {
        self.step == Step::Done
    }
}

/// What every view makes of these records: the same code as the processor's.
fn open(deployment: &Deployment, records: &[Arc<Delivered>]) -> (Batch, Vec<ViewTask>) {
    Batch::open(&deployment.views, records.iter().map(|it| Ok(&it.record)))
}

fn tell(task: &mut dyn Task, input: &Input) {
    match input {
        Input::Answers(answers) => task.answered(answers.clone()),
        Input::Results(results) => task.committed(results.clone()),
        Input::Parked => task.parked(),
    }
}

fn rebuild(deployment: &Deployment, node: &TaskNode) -> Option<Box<dyn Task>> {
    let mut inputs = Vec::new();
    let mut origin = &node.origin;
    while let Origin::Told { node, input } = origin {
        inputs.push(input);
        origin = &node.origin;
    }
    let Origin::Opened { records, place } = origin else {
        return None;
    };
    let mut task = open(deployment, records).1.into_iter().nth(*place)?.task;
    let _step = task.next();
    for input in inputs.into_iter().rev() {
        tell(&mut *task, input);
        let _step = task.next();
    }
    Some(task)
}
