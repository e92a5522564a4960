//! Turns: one of them leads from a state to the next.

use afterimage::engine::{Read, Step};

use crate::invocation::Invocation;
use crate::scenario::Scenario;
use crate::state::State;
use crate::world::Shown;

/// One turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The application makes the next change of its script.
    Change,
    /// A processor begins with these records, by their places in the stream.
    Start {
        /// Their places.
        places: Vec<usize>,
    },
    /// Reads of a task are answered: one, or all that it asked for.
    #[allow(private_interfaces, reason = "actions are made and read within this crate only")]
    Read {
        /// The invocation.
        place: usize,
        /// The task.
        work: usize,
        /// The read; `None` for all.
        part: Option<usize>,
        /// What the index shows.
        shown: Shown,
    },
    /// A commit of a task ends.
    Commit {
        /// The invocation.
        place: usize,
        /// The task.
        work: usize,
        /// The transaction.
        part: usize,
        /// How it ends.
        fate: Fate,
    },
    /// A task's records are parked.
    Park {
        /// The invocation.
        place: usize,
        /// The task.
        work: usize,
    },
    /// A processor that is done reports.
    Report {
        /// The invocation.
        place: usize,
    },
    /// A processor dies; its records come again.
    Crash {
        /// The invocation.
        place: usize,
    },
    /// A commit whose response was lost reaches the tables.
    Land {
        /// The commit.
        flight: usize,
    },
}

/// How a commit ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is applied or refused, and the task is told.
    Answered,
    /// Another transaction was at the same items.
    Contended,
    /// The response is lost; whether and when it is applied shows later.
    Lost,
}

impl Action {
    /// The turn as a sentence, given the state in which it is taken.
    pub(crate) fn sentence(&self, scenario: &Scenario, state: &State, next: &State) -> String {
        let named = |place: &usize| match state.invocations.get(*place) {
            Some(invocation) => format!("processor {}", invocation.name),
            None => "a processor".to_owned(),
        };
        match self {
            Action::Change => match scenario.script.get(state.change_count) {
                Some(change) => format!("application: {change:?}"),
                None => "application: nothing".to_owned(),
            },
            Action::Start { .. } => {
                let is_new =
                    |it: &&Invocation| !state.invocations.iter().any(|old| old.name == it.name);
                match next.invocations.iter().find(is_new) {
                    Some(it) => format!("processor {} begins with {}", it.name, it.titles()),
                    None => "a processor begins".to_owned(),
                }
            }
            Action::Read { place, work, part, shown } => {
                let what = read_titles(state, *place, *work, *part, *shown);
                format!("{} reads {what}", named(place))
            }
            Action::Commit { place, work, part, fate } => {
                let what = write_titles(state, *place, *work, *part);
                let is_applied = state.world.identity() != next.world.identity();
                let end = match (fate, is_applied) {
                    (Fate::Answered, true) => "committed",
                    (Fate::Answered, false) => "refused",
                    (Fate::Contended, _) => "contended",
                    (Fate::Lost, _) => "no response",
                };
                format!("{} commits [{what}]: {end}", named(place))
            }
            Action::Park { place, .. } => format!("{} parks", named(place)),
            Action::Report { place } => format!("{} reports all done", named(place)),
            Action::Crash { place } => format!("{} dies", named(place)),
            Action::Land { .. } if state.world.identity() == next.world.identity() => {
                "the commit without response is refused".to_owned()
            }
            Action::Land { .. } => "the commit without response is applied".to_owned(),
        }
    }
}

fn read_titles(
    state: &State,
    place: usize,
    work: usize,
    part: Option<usize>,
    shown: Shown,
) -> String {
    let work = state.invocations.get(place).and_then(|it| it.works.get(work));
    let Some(Step::Read(reads)) = work.map(|work| &work.node.step) else {
        return String::new();
    };
    let wanted = reads.iter().enumerate().filter(|(index, _)| part.is_none_or(|it| it == *index));
    let titles = wanted.map(|(_, read)| match read {
        Read::Item(key) => key.to_string(),
        Read::Last { partition, .. } => format!("the last of {partition}"),
        Read::Suggested { partition, .. } => match shown {
            Shown::Now => format!("the index for {partition}"),
            Shown::Earlier => format!("the index for {partition}, as at first"),
            Shown::All => format!("the index for {partition}, with all that is gone"),
            Shown::Lasting => format!("the index for {partition}, without all that is new"),
        },
    });
    titles.collect::<Vec<_>>().join("; ")
}

fn write_titles(state: &State, place: usize, work: usize, part: usize) -> String {
    let work = state.invocations.get(place).and_then(|it| it.works.get(work));
    let transaction = match work.map(|work| &work.node.step) {
        Some(Step::Commit(transactions)) => transactions.get(part),
        _ => None,
    };
    let writes = transaction.iter().flat_map(|it| &it.writes);
    let titles = writes.map(|write| {
        use afterimage::write::Action as Write;
        let verb = match &write.action {
            Write::Put(_) => "put",
            Write::Update(_) => "update",
            Write::Delete => "delete",
            Write::Check => "check",
        };
        format!("{verb} {}", write.key)
    });
    titles.collect::<Vec<_>>().join("; ")
}
