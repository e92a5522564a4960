//! Checks a model, and says what was found.

use std::num::NonZeroUsize;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use stateright::{Checker as _, HasDiscoveries, Model as _, Path};

use crate::action::Action;
use crate::bounds::Bounds;
use crate::deployment::DeploymentError;
use crate::model::Model;
use crate::properties::{DRAINED, Property};
use crate::sabotage::Sabotage;
use crate::scenario::Scenario;
use crate::state::State;

/// What the exploration of a scenario found.
#[derive(Debug)]
pub struct Verdict {
    /// States, each counted once.
    pub state_count: usize,
    /// How long it took.
    pub took: Duration,
    /// Whether every state within the bounds was visited, the end of the script among them.
    pub is_exhausted: bool,
    /// What does not hold, with a way to it.
    pub findings: Vec<Finding>,
}

/// A property that does not hold.
#[derive(Debug)]
pub struct Finding {
    /// The property.
    pub property: Property,
    /// What is wrong at the end of the way.
    pub fault: String,
    /// The turns that lead there, as sentences.
    pub story: Vec<String>,
}

/// Explores every state of a scenario within its bounds, breadth first; or, where something does not
/// hold, until that is found.
///
/// # Errors
/// [`DeploymentError`] where the shipped tables and views cannot be used.
pub fn check(
    scenario: &'static Scenario,
    bounds: Bounds,
    sabotage: Sabotage,
) -> Result<Verdict, DeploymentError> {
    let began = Instant::now();
    let model = Model::new(scenario, bounds, sabotage)?;
    let checker = model
        .checker()
        .threads(available_parallelism().map_or(1, NonZeroUsize::get))
        .finish_when(HasDiscoveries::AnyFailures)
        .spawn_bfs()
        .join();
    let mut discoveries = checker.discoveries();
    let is_end_reached = discoveries.remove(DRAINED).is_some();
    let findings: Vec<_> = Property::ALL
        .into_iter()
        .filter_map(|property| {
            let path = discoveries.remove(property.sentence())?;
            Some(finding(checker.model(), property, path))
        })
        .collect();
    Ok(Verdict {
        state_count: checker.unique_state_count(),
        took: began.elapsed(),
        is_exhausted: checker.is_done() && is_end_reached && findings.is_empty(),
        findings,
    })
}

fn finding(model: &Model, property: Property, path: Path<State, Action>) -> Finding {
    let steps = path.into_vec();
    let story =
        steps.iter().zip(steps.iter().skip(1)).filter_map(|((state, action), (next, _))| {
            Some(action.as_ref()?.sentence(model.scenario, state, next))
        });
    let fault = steps.last().and_then(|(state, _)| property.fault(model, state));
    Finding { property, fault: fault.into_iter().collect(), story: story.collect() }
}
