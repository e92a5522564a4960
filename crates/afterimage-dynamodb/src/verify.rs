//! Verification on DynamoDB: what is read, when, and how often.
//!
//! A first look scans the source tables and `derived` once. Counts are then read between two readings of the
//! ledger. Whatever seems to differ is looked at again by consistent reads,
//! [`LOOK_COUNT`](run::LOOK_COUNT) times over the time that the caller has patience for: it is drift if it differs
//! each time, nothing of it changed meanwhile, and no parked record that is there at the end explains it. A
//! stream that is behind for longer than that is taken for drift; one that catches up is not.

mod count;
mod first_look;
mod latest;
mod parked;
mod run;

use std::time::Duration;

use afterimage::View;
use afterimage::verify::VerifyResult;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::meter::Consumption;
use crate::processor::Processor;
use crate::registry::{IfAbsent, RegistryUseError};
use crate::store::StoreError;
use first_look::{Audit, first_look};
use run::Run;

pub use run::{VerifyOptions, ViewReport};

/// How long a verification may take.
const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// What a verification found, and what it consumed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// One report for each view.
    pub views: Vec<ViewReport>,
    /// What it consumed.
    pub consumption: Consumption,
}

impl Processor {
    /// Compares derived items, ledger and heads with the fold of the source tables, while writes go
    /// on; of one view where it is given, else of all. Nothing is written. `on_items` is told how many
    /// items each page of the first look read.
    ///
    /// # Errors
    /// [`RegistryUseError`] where the registry, or anything else, could not be read.
    pub async fn verify(
        &self,
        view: Option<&str>,
        options: VerifyOptions,
        on_items: impl Fn(u64) + Sync,
    ) -> Result<Verification, RegistryUseError> {
        let is_wanted = |it: &&View| view.is_none_or(|name| it.name() == name);
        let budget = Budget::until(Instant::now() + TIME_MAX);
        let reading = self.registry.session(budget);
        let current = self.registry.current(&reading, IfAbsent::TakeFile).await?;
        let views: Vec<_> = current.maintained.views.iter().filter(is_wanted).collect();
        let session = current.store.session(budget);
        let catalog = &current.maintained.catalog;
        let run = Run { session: &session, catalog, options };
        let mut reports = Vec::new();
        for audit in first_look(&run, &views, &on_items).await? {
            reports.push(match audit {
                Audit::Count(audit) => count::look_again(&run, *audit).await?,
                Audit::Latest(audit) => latest::look_again(&run, &audit).await?,
            });
        }
        Ok(Verification { views: reports, consumption: session.meter.consumption() })
    }

    /// Keeps what was found about a view in `derived`, for whoever asks later.
    ///
    /// # Errors
    /// [`StoreError`] where it could not be written.
    pub async fn keep_result(&self, report: &ViewReport) -> Result<(), StoreError> {
        let session = self.registry.session(Budget::until(Instant::now() + TIME_MAX));
        let result = VerifyResult {
            finished_at: self.now(),
            drift_count: report.drift.len() as u64 + report.further_count,
            retained_count: report.retained_count,
            parked_count: report.parked_count,
            undecided_count: report.undecided.len() as u64,
            source_item_count: report.source_item_count,
        };
        session.put(&VerifyResult::key(&report.view), &result.to_item(&report.view)).await
    }
}
