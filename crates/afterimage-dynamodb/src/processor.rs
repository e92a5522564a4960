//! The batch loop: decode each record on its own, route it to views, drive their tasks, report.

mod retry;

use afterimage::batch::{Batch, RecordOutcomes};
use afterimage::parked::NO_VIEW;
use afterimage::record::{DecodeError, Decoded};
use afterimage::registry::{Maintained, OwnViews};
use afterimage::version::StreamLabel;
use afterimage::{Catalog, CatalogError, Outcome, Views, decode, reason};
use afterimage_schema::{Table, TableNameError, TableNames};
use aws_sdk_dynamodb::Client;
use futures::FutureExt as _;
use serde::Deserialize;
use serde_json::value::RawValue;
use time::format_description::BorrowedFormatItem;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Duration, OffsetDateTime};
use tokio::time::Instant;

use crate::budget::Budget;
use crate::drive::{Payloads, drive_all};
use crate::meter::Consumption;
use crate::registry::{IfAbsent, RegistryReader, RegistryUseError};
use crate::report::{BatchReport, RecordReport};
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
    /// The client has no Region, so that streams of other Regions could not be recognised.
    #[error("the client has no Region: set AWS_REGION")]
    NoRegion,
}

/// A stream's label to the second.
const LABEL_FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

/// How long the registry may take to be read outside of a batch.
const READ_TIME_MAX: std::time::Duration = std::time::Duration::from_secs(60);

/// How far ahead of the clock a stream's label may be.
const LABEL_AHEAD_MAX: Duration = Duration::DAY;

/// Maintains every registered view of one deployment. Clones share what they know of the registry.
#[derive(Debug, Clone)]
pub struct Processor {
    pub(crate) registry: RegistryReader,
    clock: fn() -> OffsetDateTime,
}

impl Processor {
    /// A processor whose own file has these views, over tables with these real names. It maintains what the
    /// registry names. Where there is no registry, its first batch registers its own views.
    ///
    /// # Errors
    /// [`ProcessorError`] if a table has no name, or if the client has no Region.
    pub fn new(client: Client, views: Views, names: TableNames) -> Result<Self, ProcessorError> {
        let derived_name = names.name(&Table::DERIVED)?.to_owned();
        Self::of(client, &derived_name, Some(OwnViews { views, names }), Vec::new())
    }

    /// A processor with or without an own file, and with further real names of tables that no view of the file
    /// reads. Without a registry and a file it skips every record.
    ///
    /// # Errors
    /// As [`Processor::new`].
    pub fn of(
        client: Client,
        derived_name: &str,
        own: Option<OwnViews>,
        unread: Vec<String>,
    ) -> Result<Self, ProcessorError> {
        let region = client.config().region().ok_or(ProcessorError::NoRegion)?.to_string();
        let registry = RegistryReader::new(client, derived_name, region, own, unread)?;
        Ok(Self { registry, clock: OffsetDateTime::now_utc })
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

    /// The greatest stream label that a record may have now.
    pub(crate) fn label_max(&self) -> Option<StreamLabel> {
        let latest = (self.clock)().checked_add(LABEL_AHEAD_MAX)?;
        latest.format(LABEL_FORMAT).ok()?.parse().ok()
    }

    /// What is maintained: by the registry, or by the own file where there is no registry. Nothing is written.
    ///
    /// # Errors
    /// [`RegistryUseError`] if the registry cannot be used.
    pub async fn maintained(&self) -> Result<Maintained, RegistryUseError> {
        let session = self.registry.session(Budget::until(Instant::now() + READ_TIME_MAX));
        let current = self.registry.current(&session, IfAbsent::TakeFile).await?;
        Ok(current.maintained.clone())
    }

    /// Applies a batch, and stops in time before the deadline. Every record gets an outcome for each
    /// view that reads its table; what could not be done is [`Outcome::Failed`](afterimage::Outcome::Failed), never an error.
    /// The registry is read first, so that whatever an older one acknowledged was written before it changed.
    pub async fn process(&self, event: &StreamEvent, deadline: Instant) -> BatchReport {
        let budget = Budget::until(deadline);
        let reading = self.registry.session(budget);
        let current = self.registry.current(&reading, IfAbsent::Register).boxed().await;
        let (registry_consumption, label_max) = (reading.meter.consumption(), self.label_max());
        let decode_with = |catalog: &Catalog| -> Vec<_> {
            let records = event.records.iter();
            records.map(|raw| decode(catalog, label_max.as_ref(), raw.get())).collect()
        };
        let current = match current {
            Ok(current) => current,
            Err(error) => {
                tracing::error!(error = reason(&error), "the registry could not be used");
                let decoded = decode_with(self.registry.empty_catalog());
                return self.failed(&decoded, registry_consumption);
            }
        };
        let decoded = decode_with(&current.maintained.catalog);
        let now = self.now();
        let payloads =
            Payloads { raw_records: &event.records, decoded: &decoded, now: &now, retried: None };
        let views = &current.maintained.views;
        let (batch, tasks) = Batch::open(views, decoded.iter().map(|it| it.record.as_ref()));
        note_unread(&decoded);
        let session = current.store.session(budget);
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
            registry_consumption,
            finished_at_ms: self.now_ms(),
            difference_count: current.maintained.differences.len() as u64,
            unreadable_count: current.maintained.unreadable.len() as u64,
        }
    }

    /// Every record has to come again.
    fn failed(&self, decoded: &[Decoded], registry_consumption: Consumption) -> BatchReport {
        let failed = || vec![(NO_VIEW.to_owned(), Outcome::Failed)];
        BatchReport {
            records: decoded.iter().map(|it| record_report(it, failed())).collect(),
            registry_consumption,
            finished_at_ms: self.now_ms(),
            ..BatchReport::default()
        }
    }

    fn now_ms(&self) -> i64 {
        i64::try_from((self.clock)().unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
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
