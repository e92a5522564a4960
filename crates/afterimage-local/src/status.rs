//! `GET /local/status`: whether everything is done, counted at the request.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use afterimage::registry::{Maintained, Registration};
use afterimage_dynamodb::{BatchReport, Processor, RegistryUseError};
use aws_sdk_dynamodbstreams::Client;
use embedded_dynamodb::StreamCounter;
use serde::Serialize;

use crate::event_source_mapping::{CheckpointStore, Counters, StreamError, TableMapping, backlog};

/// How often the streams are counted until two counts agree.
const COUNTS: usize = 4;

type Counts = BTreeMap<String, BTreeMap<&'static str, u64>>;

/// How often each outcome occurred in each view, since the start, and how late its last batch was.
#[derive(Debug)]
pub struct Outcomes {
    counts: Mutex<Counts>,
    lag_ms: Mutex<BTreeMap<String, i64>>,
}

impl Outcomes {
    /// No outcome yet, in each of these views.
    #[must_use]
    pub fn of_views<'a>(names: impl Iterator<Item = &'a str>) -> Self {
        let counts = names.map(|name| (name.to_owned(), BTreeMap::new())).collect();
        Self { counts: Mutex::new(counts), lag_ms: Mutex::default() }
    }

    /// Counts what became of a batch.
    pub fn count(&self, report: &BatchReport) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        for (view, outcome) in report.outcomes() {
            *counts.entry(view.to_owned()).or_default().entry(outcome.name()).or_default() += 1;
        }
        let mut lags = self.lag_ms.lock().unwrap_or_else(PoisonError::into_inner);
        for view in counts.keys() {
            if let Some(lag_ms) = report.view_lag_ms(view) {
                lags.insert(view.clone(), lag_ms);
            }
        }
    }

    fn lag_ms(&self) -> BTreeMap<String, i64> {
        self.lag_ms.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn snapshot(&self) -> Counts {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A generation of a view, as the registry has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Generation {
    /// The view.
    pub view: String,
    /// Its number, from 1.
    pub generation: u64,
    /// `building`, `live`, `retired` or `dropping`.
    pub state: &'static str,
}

/// What the status is computed from.
#[derive(Debug)]
pub(crate) struct Status {
    pub client: Client,
    pub counter: StreamCounter,
    pub mappings: Vec<TableMapping>,
    pub checkpoints: Arc<CheckpointStore>,
    pub counters: Arc<Counters>,
    pub outcomes: Arc<Outcomes>,
    /// Tells what is registered.
    pub registry: Processor,
    /// Held while the streams are counted, so that several requests at once do not keep the database from its
    /// writers.
    pub counting: tokio::sync::Mutex<()>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct StatusReport {
    /// Every record written before the request, derived writes included, is acknowledged, parked or
    /// kept as an on-failure record.
    pub drained: bool,
    /// Records done since the start, filtered ones left out.
    pub records_processed: u64,
    /// Records that are not done.
    pub pending: u64,
    /// Records given up and kept as on-failure records since the start.
    pub on_failure: u64,
    /// By view, each that is configured: how often each outcome occurred since the start.
    pub views: Counts,
    /// By view: how long ago the oldest record of its last batch was written when the batch was done.
    pub lag_ms: BTreeMap<String, i64>,
    /// What is registered.
    pub generations: Vec<Generation>,
    /// Where the views file that the stack was started with and the registry differ, or why the registry cannot
    /// be used, one sentence each.
    pub differences: Vec<String>,
}

impl Status {
    /// Counts what stands behind the checkpoints. Derived writes of one stream's records may be
    /// records of another that was counted before: so it is drained only where two counts find
    /// nothing and the same checkpoints, since then nothing was done in between.
    ///
    /// # Errors
    /// [`StreamError`] where a stream cannot be read.
    pub(crate) async fn report(&self) -> Result<StatusReport, StreamError> {
        let _counting = self.counting.lock().await;
        let (generations, differences) = registered(self.registry.maintained().await);
        let mut last = None;
        let (mut drained, mut pending) = (false, 0);
        for _ in 0..COUNTS {
            let found =
                backlog(&self.client, &self.counter, &self.mappings, &self.checkpoints).await?;
            // What is in hand stands behind its checkpoint as well, unless its stream is gone.
            pending = found.pending.max(self.counters.in_hand());
            drained = pending == 0 && last.as_ref() == Some(&found);
            if drained || pending > 0 {
                break;
            }
            last = Some(found);
        }
        Ok(StatusReport {
            drained,
            records_processed: self.counters.processed(),
            pending,
            on_failure: self.counters.on_failure(),
            views: self.outcomes.snapshot(),
            lag_ms: self.outcomes.lag_ms(),
            generations,
            differences,
        })
    }
}

/// What is registered, and what is wrong with it.
fn registered(maintained: Result<Maintained, RegistryUseError>) -> (Vec<Generation>, Vec<String>) {
    let maintained = match maintained {
        Ok(maintained) => maintained,
        Err(error) => {
            let reason = afterimage::reason(&error);
            return (Vec::new(), vec![format!("the registry of views cannot be used: {reason}")]);
        }
    };
    let generation = |it: &Registration| Generation {
        view: it.name.clone(),
        generation: it.generation,
        state: it.state.name(),
    };
    let generations = maintained.registry.iter().flat_map(|it| &it.views).map(generation);
    let differences = maintained.differences.iter().map(ToString::to_string);
    (generations.collect(), differences.collect())
}
