//! Parked records, tried again.

use std::sync::atomic::AtomicBool;

use afterimage::batch::{Batch, ViewTask};
use afterimage::parked::{NO_VIEW, ParkedRecord};
use afterimage::record::Decoded;
use afterimage::{Outcome, View, Views, decode, reason};
use futures::FutureExt as _;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::Processor;
use crate::budget::Budget;
use crate::drive::{Payloads, RetriedRecord, drive_all};
use crate::meter::Consumption;
use crate::registry::{IfAbsent, RegistryUseError};
use crate::store::StoreError;

/// Why a parked record was not even tried again. It stays parked.
#[derive(Debug, thiserror::Error)]
pub enum RetryError {
    /// No view has the name of the one that parked it.
    #[error("there is no view `{view}`")]
    NoView {
        /// The view's name.
        view: String,
    },
    /// The view that parked it reads other tables now, or the record cannot be decoded any more.
    #[error("the view `{view}` does not read the table that the record comes from")]
    NotRead {
        /// The view's name.
        view: String,
    },
    /// The registry cannot be used.
    #[error("the registry of views cannot be used")]
    Registry(#[from] RegistryUseError),
    /// The payload is no JSON.
    #[error("the payload of the parked record is no JSON")]
    Payload(#[source] serde_json::Error),
}

/// What became of a parked record that was tried again.
#[derive(Debug)]
pub struct Retried {
    /// The outcome by view: in the view that parked it; in every view that reads its table, where it
    /// was parked beside all views.
    pub outcomes: Vec<(String, Outcome)>,
    /// What stood in the way, where an outcome is [`Outcome::Failed`].
    pub errors: Vec<StoreError>,
    /// What the attempt consumed.
    pub consumption: Consumption,
    /// Whether what is left of it is parked under another id.
    is_moved: bool,
}

impl Retried {
    /// Whether the parked record has done its duty: its effect is committed, or can never matter any
    /// more, or it is parked under another id: under the name of a view instead of beside all of them, or by the cause
    /// instead of by the record.
    #[must_use]
    pub fn is_settled(&self, parked: &ParkedRecord) -> bool {
        self.outcomes.iter().all(|(view, outcome)| match outcome {
            Outcome::Failed => false,
            Outcome::Parked => *view != parked.view || self.is_moved,
            Outcome::Applied
            | Outcome::Coalesced
            | Outcome::Duplicate
            | Outcome::Stale
            | Outcome::Skipped => true,
        })
    }
}

impl Processor {
    /// Tries a parked record again, as far as time allows. It is applied as any record is: where a
    /// newer record of the same item was applied meanwhile, it is a duplicate, and where it can still
    /// not be applied, it stays parked. Trying twice changes nothing.
    ///
    /// # Errors
    /// [`RetryError`] where no view would take it.
    pub async fn retry(
        &self,
        parked: &ParkedRecord,
        deadline: Instant,
    ) -> Result<Retried, RetryError> {
        let raw = RawValue::from_string(parked.raw_json.clone()).map_err(RetryError::Payload)?;
        let budget = Budget::until(deadline);
        let reading = self.registry.session(budget);
        let current = self.registry.current(&reading, IfAbsent::Register).boxed().await?;
        let maintained = &current.maintained;
        let decoded = [decode(&maintained.catalog, self.label_max().as_ref(), raw.get())];
        let (batch, tasks) = if parked.view == NO_VIEW {
            Batch::open(&maintained.views, decoded.iter().map(|it| it.record.as_ref()))
        } else {
            open_again(&maintained.views, parked, &decoded)?
        };
        let now = self.now();
        let raw_records = [raw];
        let retried = RetriedRecord { record: parked, is_moved: AtomicBool::new(false) };
        let payloads = Payloads {
            raw_records: &raw_records,
            decoded: &decoded,
            now: &now,
            retried: Some(&retried),
        };
        let session = current.store.session(budget);
        let (tasks, errors) = drive_all(&session, &payloads, tasks).boxed().await;
        for error in &errors {
            tracing::error!(error = reason(error), "a parked record could not be tried again");
        }
        let ends = tasks.iter().map(|task| (task.view.as_str(), task.task.outcomes()));
        let outcomes = batch.outcomes(ends).into_iter().flatten().collect();
        let is_moved = retried.is_moved.into_inner();
        Ok(Retried { outcomes, errors, consumption: session.meter.consumption(), is_moved })
    }
}

fn open_again(
    views: &Views,
    parked: &ParkedRecord,
    decoded: &[Decoded; 1],
) -> Result<(Batch, Vec<ViewTask>), RetryError> {
    let no_view = || RetryError::NoView { view: parked.view.clone() };
    let view: &View = views.named(&parked.view).ok_or_else(no_view)?;
    let [decoded] = decoded;
    let record = decoded.record.as_ref().ok();
    let record = record.filter(|record| record.key.table == *view.source());
    let record = record.ok_or_else(|| RetryError::NotRead { view: parked.view.clone() })?;
    Ok(Batch::retry(view, record, parked))
}
