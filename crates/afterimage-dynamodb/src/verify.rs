//! Verification on DynamoDB: what is read, when, and how often.
//!
//! A first look scans the source tables and `derived` once. Whatever seems to differ is looked at again
//! by consistent reads, [`LOOK_COUNT`] times over the time that the caller has patience for: it is drift
//! if it differs each time, and nothing of it changed meanwhile. A stream that is behind for longer than
//! that is taken for drift; one that catches up is not.

mod count;
mod first_look;
mod latest;

use std::time::Duration;

use afterimage::verify::{Drift, VerifyResult};
use afterimage::{Item, View};
use tokio::time::Instant;

use crate::budget::Budget;
use crate::meter::Consumption;
use crate::processor::Processor;
use crate::registry::{IfAbsent, RegistryUseError};
use crate::store::{Session, StoreError};
use first_look::{Audit, first_look};

/// Equal looks, one after the other, after which a difference is drift.
const LOOK_COUNT: u32 = 4;

/// Looks after which something that still changes is left undecided.
const LOOK_COUNT_MAX: u32 = 12;

/// Differences of one view that are looked at again; more are only counted.
const CANDIDATE_COUNT_MAX: usize = 1000;

/// How long a verification may take.
const TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// How a verification is done.
#[derive(Debug, Clone, Copy)]
pub struct VerifyOptions {
    /// Segments of a scan that are read at once, 1 at least.
    pub segment_count: u32,
    /// How long a difference has to stand still before it is drift.
    pub patience: Duration,
}

/// What a verification found about one view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewReport {
    /// The view's name.
    pub view: String,
    /// Derived items that are not what the fold says, in the order of their names.
    pub drift: Vec<Drift>,
    /// Further differences, which were too many to look at again.
    pub further_count: u64,
    /// What `remove = "skip"` rightly keeps: counted items that are deleted, groups whose newest is.
    pub retained_count: u64,
    /// Differences that parked records explain.
    pub parked_count: u64,
    /// What changed in every look, and cannot be decided while it does.
    pub undecided: Vec<String>,
    /// Source items that were read.
    pub source_item_count: u64,
    /// Groups that were compared.
    pub group_count: u64,
}

impl ViewReport {
    /// Whether derived items differ from the fold.
    #[must_use]
    pub fn is_drifted(&self) -> bool {
        !self.drift.is_empty() || self.further_count > 0
    }
}

/// What a verification found, and what it consumed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Verification {
    /// One report for each view.
    pub views: Vec<ViewReport>,
    /// What it consumed.
    pub consumption: Consumption,
}

/// A verification under way.
struct Run<'a> {
    session: &'a Session<'a>,
    options: VerifyOptions,
}

impl Run<'_> {
    /// Waits a part of the time that there is patience for.
    async fn pause(&self) {
        tokio::time::sleep(self.options.patience / LOOK_COUNT).await;
    }
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
        let run = Run { session: &session, options };
        let mut reports = Vec::new();
        for (audit, parked_ids) in first_look(&run, &views, &on_items).await? {
            reports.push(match audit {
                Audit::Count(audit) => count::look_again(&run, *audit).await?,
                Audit::Latest(audit) => {
                    let catalog = &current.maintained.catalog;
                    latest::note_parked(catalog, *audit, &parked_ids, &run).await?
                }
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

/// The partition key of an item of `derived`.
fn partition_of(item: &Item) -> Option<&str> {
    item.get("pk").and_then(afterimage::AttributeValue::as_string)
}
