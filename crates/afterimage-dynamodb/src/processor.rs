//! The batch loop: decode each record on its own, route it to views, drive their tasks, report.

mod retry;

use std::sync::Arc;

use afterimage::batch::{Batch, RecordOutcomes};
use afterimage::record::{DecodeError, Decoded};
use afterimage::{Catalog, CatalogError, Views, decode, reason};
use afterimage_schema::{TableNameError, TableNames};
use aws_sdk_dynamodb::Client;
use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::drive::{Payloads, drive_all};
use crate::report::{BatchReport, RecordReport};
use crate::store::Store;
use crate::views_file::ViewsFileError;

pub use retry::{Retried, RetryError};

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
    /// There are no views.
    #[error(transparent)]
    Views(#[from] ViewsFileError),
    /// A table's name is missing or invalid.
    #[error(transparent)]
    Names(#[from] TableNameError),
    /// A table has no name.
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

impl Processor {
    /// A processor for these views, whose tables have these real names.
    ///
    /// # Errors
    /// [`CatalogError`] if a table has no name.
    pub fn new(client: Client, views: Views, names: TableNames) -> Result<Self, CatalogError> {
        let catalog = views.catalog(names)?;
        Ok(Self::of_catalog(client, views, catalog))
    }

    /// A processor for these views and their catalog.
    #[must_use]
    pub fn of_catalog(client: Client, views: Views, catalog: Catalog) -> Self {
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
    /// view that reads its table; what could not be done is [`Outcome::Failed`](afterimage::Outcome::Failed), never an error.
    pub async fn process(&self, event: &StreamEvent, deadline: Instant) -> BatchReport {
        let decoded: Vec<_> =
            event.records.iter().map(|raw| decode(&self.catalog, raw.get())).collect();
        let now = self.now();
        let payloads =
            Payloads { raw_records: &event.records, decoded: &decoded, now: &now, retried: None };
        let (batch, tasks) = Batch::open(&self.views, decoded.iter().map(|it| it.record.as_ref()));
        note_unread(&decoded);
        let session = self.store.session(Budget::until(deadline));
        // Boxed, so that callers do not carry the types of all the futures within.
        let (tasks, errors) = drive_all(&session, &payloads, tasks).boxed().await;
        for error in &errors {
            tracing::error!(error = reason(error), "part of a batch could not be applied");
        }
        let ends = tasks.iter().map(|task| (task.view.as_str(), task.task.outcomes()));
        let records = decoded.iter().zip(batch.outcomes(ends));
        BatchReport {
            records: records.map(|(decoded, outcomes)| record_report(decoded, outcomes)).collect(),
            consumption: session.meter.consumption(),
            finished_at_ms: i64::try_from((self.clock)().unix_timestamp_nanos() / 1_000_000)
                .unwrap_or(i64::MAX),
        }
    }
}

fn record_report(decoded: &Decoded, outcomes: RecordOutcomes) -> RecordReport {
    RecordReport {
        sequence_number: decoded.sequence_number.clone(),
        event_name: decoded.event_name.clone(),
        table_name: decoded.table_name.clone(),
        created_at_ms: decoded.created_at_ms,
        outcomes,
    }
}

/// Says once a batch that there were records of a table that no view reads.
fn note_unread(decoded: &[Decoded]) {
    let is_unread = |it: &&Decoded| matches!(it.record, Err(DecodeError::UnreadTable));
    let unread: Vec<_> = decoded.iter().filter(is_unread).collect();
    if let Some(first) = unread.first() {
        let (table, record_count) = (first.table_name.as_deref(), unread.len());
        tracing::info!(table, record_count, "records skipped: no view reads their table");
    }
}
