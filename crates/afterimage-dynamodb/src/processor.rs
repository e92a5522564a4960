//! The batch loop: decode each record on its own, route it to views, drive their tasks, report.

mod retry;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use afterimage::parked::NO_VIEW;
use afterimage::record::{Catalog, CatalogError, Decoded};
use afterimage::view::{Parking, ParkingTask, Routed, Settled};
use afterimage::{Outcome, Views, ViewsError, decode, reason};
use afterimage_schema::{TableNameError, TableNames};
use aws_sdk_dynamodb::Client;
use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::drive::{Batch, ViewTask, drive_all};
use crate::report::{BatchReport, RecordReport};
use crate::store::Store;

pub use retry::{Retried, RetryError};

/// The environment variable that names another file of views than the one compiled in.
const VIEWS_VARIABLE: &str = "AFTERIMAGE_VIEWS";

/// The file of views that the environment names, if it names one.
#[must_use]
pub fn views_file_of_environment() -> Option<PathBuf> {
    std::env::var_os(VIEWS_VARIABLE).map(PathBuf::from)
}

/// A stream event as Lambda delivers it; each record is kept as raw JSON and decoded on its own.
#[derive(Debug, Clone, Deserialize)]
pub struct StreamEvent {
    /// The records, in the order of the stream.
    #[serde(rename = "Records")]
    pub records: Vec<Box<RawValue>>,
}

/// Why a processor could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProcessorError {
    /// The file of views cannot be read.
    #[error("the file `{}` that {VIEWS_VARIABLE} names cannot be read", path.display())]
    File {
        /// The path.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The views do not hold together.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// A table's name is missing, or none.
    #[error(transparent)]
    Names(#[from] TableNameError),
    /// A table cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// Maintains every view of one deployment.
#[derive(Debug, Clone)]
pub struct Processor {
    pub(crate) store: Store,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) views: Arc<Views>,
    clock: fn() -> OffsetDateTime,
}

/// The outcomes of one view, by the record's place in the event.
type Outcomes = BTreeMap<usize, Outcome>;

impl Processor {
    /// A processor for the views in `views.toml` (`AFTERIMAGE_VIEWS` names another file).
    ///
    /// # Errors
    /// [`ProcessorError`] where the file cannot be read or the views do not hold together.
    pub fn from_environment(client: Client, names: TableNames) -> Result<Self, ProcessorError> {
        Self::with_views_file(client, names, views_file_of_environment())
    }

    /// A processor for the views in the file at this path, or those in `views.toml`.
    ///
    /// # Errors
    /// [`ProcessorError`] where the file cannot be read or the views do not hold together.
    pub fn with_views_file(
        client: Client,
        names: TableNames,
        path: Option<PathBuf>,
    ) -> Result<Self, ProcessorError> {
        let catalog = Catalog::new(names)?;
        let views = match path {
            None => Views::compiled_in(&catalog)?,
            Some(path) => {
                let text = std::fs::read_to_string(&path)
                    .map_err(|source| ProcessorError::File { path, source })?;
                Views::parse(&text, &catalog)?
            }
        };
        Ok(Self::new(client, catalog, views))
    }

    /// A processor for these views of these tables.
    #[must_use]
    pub fn new(client: Client, catalog: Catalog, views: Views) -> Self {
        let catalog = Arc::new(catalog);
        let store = Store::new(client, Arc::clone(&catalog));
        Self { store, catalog, views: Arc::new(views), clock: OffsetDateTime::now_utc }
    }

    /// The same, with another clock than the system's for what is written of the time.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> OffsetDateTime) -> Self {
        Self { clock, ..self }
    }

    /// The time, as RFC 3339 in UTC.
    pub(crate) fn now(&self) -> String {
        // A four-digit year always formats; a clock beyond it still parks the record.
        (self.clock)().format(&Rfc3339).unwrap_or_else(|_| "unknown".to_owned())
    }

    /// The names of the views, in the order of their file.
    pub fn view_names(&self) -> impl Iterator<Item = &str> {
        self.views.iter().map(afterimage::View::name)
    }

    /// Applies a batch, and stops in time before the deadline. Every record gets an outcome for each
    /// view that reads its table; what could not be done is [`Outcome::Failed`], never an error.
    pub async fn process(&self, event: &StreamEvent, deadline: Instant) -> BatchReport {
        let decoded: Vec<_> =
            event.records.iter().map(|raw| decode(&self.catalog, raw.get())).collect();
        let now = self.now();
        let batch =
            Batch { raw_records: &event.records, decoded: &decoded, now: &now, retried: None };
        let (settled, tasks) = self.open(&decoded);
        let session = self.store.session(Budget::until(deadline));
        // Boxed, so that callers do not carry the types of all the futures within.
        let (tasks, errors) = drive_all(&session, &batch, tasks).boxed().await;
        for error in &errors {
            tracing::error!(error = reason(error), "part of a batch could not be applied");
        }
        let outcomes = outcomes(&settled, &tasks);
        BatchReport {
            records: decoded
                .iter()
                .enumerate()
                .map(|(index, decoded)| self.record_report(index, decoded, &outcomes))
                .collect(),
            consumption: session.meter.consumption(),
            finished_at_ms: i64::try_from((self.clock)().unix_timestamp_nanos() / 1_000_000)
                .unwrap_or(i64::MAX),
        }
    }

    /// The tasks of every view, and the outcomes that need none.
    fn open(&self, decoded: &[Decoded]) -> (BTreeMap<String, Vec<Settled>>, Vec<ViewTask>) {
        let mut settled = BTreeMap::new();
        let mut tasks = Vec::new();
        for view in self.views.iter() {
            let records: Vec<_> = decoded
                .iter()
                .enumerate()
                .filter_map(|(index, decoded)| {
                    let record = decoded.record.as_ref().ok()?;
                    (record.key.table == view.source()).then_some(Routed { index, record })
                })
                .collect();
            let opening = view.open(&records);
            settled.insert(view.name().to_owned(), opening.settled);
            let of_view = |task| ViewTask { view: view.name().to_owned(), task };
            tasks.extend(opening.tasks.into_iter().map(of_view));
        }
        let unrouted = self.unrouted(decoded);
        if !unrouted.is_empty() {
            let task = Box::new(ParkingTask::new(unrouted));
            tasks.push(ViewTask { view: NO_VIEW.to_owned(), task });
        }
        (settled, tasks)
    }

    /// Records that cannot be routed to any view: they are parked beside all views.
    fn unrouted(&self, decoded: &[Decoded]) -> Vec<Parking> {
        let parking = |(index, decoded): (usize, &Decoded)| {
            let reason = match &decoded.record {
                Err(error) => reason(error),
                Ok(record) if self.views.reading(record.key.table).next().is_none() => {
                    "no view reads the table that the record comes from".to_owned()
                }
                Ok(_) => return None,
            };
            Some(Parking { index, reason, part: None })
        };
        decoded.iter().enumerate().filter_map(parking).collect()
    }

    fn record_report(
        &self,
        index: usize,
        decoded: &Decoded,
        outcomes: &BTreeMap<String, Outcomes>,
    ) -> RecordReport {
        let table = decoded.record.as_ref().ok().map(|record| record.key.table);
        let mut views: Vec<&str> = table
            .into_iter()
            .flat_map(|table| self.views.reading(table))
            .map(afterimage::View::name)
            .collect();
        if views.is_empty() {
            views.push(NO_VIEW);
        }
        let outcome_in = |view: &str| {
            let outcome = outcomes.get(view).and_then(|outcomes| outcomes.get(&index));
            // What nothing is known of was not done.
            (view.to_owned(), outcome.copied().unwrap_or(Outcome::Failed))
        };
        RecordReport {
            sequence_number: decoded.sequence_number.clone(),
            event_name: decoded.event_name.clone(),
            table_name: decoded.table_name.clone(),
            created_at_ms: decoded.created_at_ms,
            outcomes: views.into_iter().map(outcome_in).collect(),
        }
    }
}

/// The outcomes by view: those of the tasks, then those settled at once. A superseded record shares
/// the fate of the one that superseded it.
fn outcomes(
    settled: &BTreeMap<String, Vec<Settled>>,
    tasks: &[ViewTask],
) -> BTreeMap<String, Outcomes> {
    let mut outcomes: BTreeMap<String, Outcomes> = BTreeMap::new();
    for task in tasks {
        let known = task.task.outcomes().into_iter();
        let known = known.filter_map(|(index, outcome)| Some((index, outcome?)));
        outcomes.entry(task.view.clone()).or_default().extend(known);
    }
    for (view, settled) in settled {
        let outcomes = outcomes.entry(view.clone()).or_default();
        let superseded_by: BTreeMap<usize, usize> = settled
            .iter()
            .filter_map(|it| match it {
                Settled::Coalesced { index, by } => Some((*index, *by)),
                Settled::Outcome { .. } => None,
            })
            .collect();
        for it in settled {
            if let Settled::Outcome { index, outcome } = it {
                outcomes.insert(*index, *outcome);
            }
        }
        for index in superseded_by.keys() {
            let mut last = *index;
            while let Some(by) = superseded_by.get(&last) {
                last = *by;
            }
            let is_done = outcomes.get(&last).is_some_and(|it| *it != Outcome::Failed);
            outcomes.insert(*index, if is_done { Outcome::Coalesced } else { Outcome::Failed });
        }
    }
    outcomes
}
