//! What people run beside the processors: `verify`, `parked retry`, and `up` with a file that differs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use afterimage::registry::OwnViews;
use afterimage::{Catalog, Views};
use afterimage_dynamodb::{FileRegistration, ParkedRecords, Processor, VerifyOptions, ViewReport};
use afterimage_schema::Table;
use time::macros::datetime;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::WorldError;
use crate::check::Violation;
use crate::delivery::Mapping;
use crate::dynamodb::{Dynamodb, client};
use crate::trace::Trace;
use crate::world::{other_views, table_name};

/// The time that one record has that is tried again.
const RETRY_TIME: Duration = Duration::from_secs(60);

/// Everybody beside the processors.
#[derive(Clone)]
pub struct Actors(Arc<Shared>);

struct Shared {
    dynamodb: Dynamodb,
    catalog: Catalog,
    views: Views,
    mapping: Mapping,
    trace: Trace,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    tasks: Vec<JoinHandle<()>>,
    count: usize,
    violation: Option<Violation>,
}

impl Actors {
    /// Nobody yet.
    #[must_use]
    pub fn new(
        dynamodb: Dynamodb,
        catalog: Catalog,
        views: Views,
        mapping: Mapping,
        trace: Trace,
    ) -> Self {
        let state = Mutex::default();
        Self(Arc::new(Shared { dynamodb, catalog, views, mapping, trace, state }))
    }

    fn spawn(&self, task: impl Future<Output = ()> + 'static) {
        let task = tokio::task::spawn_local(task);
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).tasks.push(task);
    }

    /// Waits until everybody is done.
    pub async fn settle(&self) {
        loop {
            let tasks = {
                let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
                std::mem::take(&mut state.tasks)
            };
            if tasks.is_empty() {
                return;
            }
            for task in tasks {
                if task.await.is_err() {
                    self.violated("-", "a command panicked".to_owned());
                }
            }
        }
    }

    /// What somebody was told that is not so.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).violation.clone()
    }

    fn violated(&self, invariant: &'static str, what: String) {
        self.0.trace.note(|| format!("VIOLATION  {invariant}: {what}"));
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.violation.get_or_insert(Violation { invariant, what });
    }

    fn processor(&self, command: &str) -> Result<Processor, WorldError> {
        let count = {
            let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
            state.count += 1;
            state.count
        };
        let client = client(&self.0.dynamodb, &format!("{command} {count}"));
        let names = self.0.catalog.names().clone();
        let processor = Processor::new(client, self.0.views.clone(), names)?;
        Ok(processor.with_clock(|| datetime!(2100-01-01 00:00 UTC)))
    }

    /// Verifies one of the views while everything goes on.
    ///
    /// # Errors
    /// [`WorldError`] if there is no processor for these views.
    pub fn verify(&self, pick: usize, patience_ms: u64) -> Result<(), WorldError> {
        let names: Vec<_> = self.0.views.iter().map(|view| view.name().to_owned()).collect();
        let Some(name) = pick.checked_rem(names.len()).and_then(|pick| names.get(pick).cloned())
        else {
            return Ok(());
        };
        let processor = self.processor("verify")?;
        let actors = self.clone();
        self.spawn(async move { actors.verify_beside(&processor, &name, patience_ms).await });
        Ok(())
    }

    async fn verify_beside(&self, processor: &Processor, name: &str, patience_ms: u64) {
        let before = self.quiet_at();
        let patience = Duration::from_millis(patience_ms);
        let options = VerifyOptions { segment_count: 1, patience };
        // What cannot be read is no answer.
        let verified = processor.verify(Some(name), options, |_| ());
        let Ok(verified) = Box::pin(verified).await else {
            return;
        };
        let was_quiet = before.is_some() && before == self.quiet_at();
        for report in &verified.views {
            self.0.trace.note(|| format!("verify of {name}: {}", words(report)));
            if let Some(what) = false_drift(report, was_quiet) {
                self.violated("I12", what);
            }
        }
    }

    /// The number of writes so far, if no record is waiting or in flight.
    fn quiet_at(&self) -> Option<u64> {
        let write_count = self.0.dynamodb.write_count();
        self.0.mapping.is_drained_at(write_count).then_some(write_count)
    }

    /// Verifies everything once nothing moves any more: nothing has drifted; and a count that is changed then
    /// has.
    ///
    /// # Errors
    /// [`WorldError`] if the tables cannot be read or written.
    pub async fn verify_drained(&self) -> Result<Option<Violation>, WorldError> {
        let processor = self.processor("verify")?;
        let options = VerifyOptions { segment_count: 1, patience: Duration::ZERO };
        let told = |what: String| Ok(Some(Violation { invariant: "I12", what }));
        let verified = match Box::pin(processor.verify(None, options, |_| ())).await {
            Ok(verified) => verified,
            Err(error) => return told(format!("a calm `verify` failed: {error}")),
        };
        if let Some(report) = verified.views.iter().find(|it| it.is_drifted() || it.is_undecided())
        {
            return told(format!("verify of {} says {}", report.view, words(report)));
        }
        let Some(count) = self.change_a_count()? else { return Ok(None) };
        let verified = Box::pin(processor.verify(None, options, |_| ())).await;
        let names = |report: &ViewReport| report.drift.iter().map(|it| it.item.clone()).collect();
        let drifted: Vec<String> = match &verified {
            Ok(verified) => verified.views.iter().flat_map(|it| -> Vec<_> { names(it) }).collect(),
            Err(_) => Vec::new(),
        };
        self.0.dynamodb.call("PutItem", &put_derived(&count))?;
        let keys = count["pk"]["S"].as_str().zip(count["sk"]["S"].as_str());
        let (pk, sk) = keys.ok_or(WorldError::Count)?;
        let name = format!("{pk} / {sk}");
        if drifted == [name.as_str()] {
            return Ok(None);
        }
        told(format!("the count {name} was changed, and verify names {drifted:?}"))
    }

    /// Adds to the first count there is; returns the item as it was.
    fn change_a_count(&self) -> Result<Option<serde_json::Value>, WorldError> {
        let derived = self.0.dynamodb.scan(&table_name(&Table::DERIVED))?;
        let is_count = |item: &&serde_json::Value| item["pk"]["S"] == "albums-by-genre";
        let Some(count) = derived.iter().find(is_count).cloned() else { return Ok(None) };
        let number = count["count"]["N"].as_str().and_then(|it| it.parse::<i64>().ok());
        let number = number.ok_or(WorldError::Count)?;
        let mut changed = count.clone();
        changed["count"]["N"] = serde_json::json!((number + 1).to_string());
        self.0.dynamodb.call("PutItem", &put_derived(&changed))?;
        Ok(Some(count))
    }

    /// Tries every parked record again.
    ///
    /// # Errors
    /// [`WorldError`] if there is no processor for these views.
    pub fn retry_parked(&self) -> Result<(), WorldError> {
        let processor = self.processor("retry")?;
        let client = client(&self.0.dynamodb, "parked");
        let parked = ParkedRecords::new(client, self.0.catalog.clone());
        self.spawn(async move {
            // What cannot be read or removed stays, and may be tried again.
            let Ok(summaries) = parked.summaries().await else { return };
            for summary in summaries {
                let Ok(Some(stored)) = parked.find(&summary.id).await else { continue };
                let Ok(record) = &stored.record else { continue };
                let deadline = Instant::now() + RETRY_TIME;
                let Ok(retried) = processor.retry(record, deadline).await else { continue };
                if retried.is_settled(record) {
                    parked.remove(&stored).await.ok();
                }
            }
        });
        Ok(())
    }

    /// A file that differs from what is registered arrives: it is refused and nothing is written, and a processor
    /// that has it goes on with what is registered. Nothing happens before there is a registry.
    ///
    /// # Errors
    /// [`WorldError`] if the file does not hold together.
    pub fn register_other(&self, pick: usize) -> Result<(), WorldError> {
        let derived = self.0.dynamodb.scan(&table_name(&Table::DERIVED))?;
        if !derived.iter().any(|item| item["pk"]["S"] == "registry" && item["sk"]["S"] == "views") {
            return Ok(());
        }
        self.0.mapping.replace_process(pick, &other_views()?)?;
        let client = client(&self.0.dynamodb, "other file");
        let own = OwnViews { views: other_views()?, names: self.0.catalog.names().clone() };
        let actors = self.clone();
        self.spawn(async move {
            // What is not answered decides nothing.
            if FileRegistration::prepare(client, &own).await.is_ok() {
                actors.violated("I9", "a file that differs was not refused".to_owned());
            }
        });
        Ok(())
    }
}

fn put_derived(item: &serde_json::Value) -> serde_json::Value {
    serde_json::json!({ "TableName": table_name(&Table::DERIVED), "Item": item })
}

/// What a report says is drift and cannot be. Counts agree with their ledger at every moment, so one that drifted
/// alone is always wrong. Anything of the ledger is wrong if no record was waiting.
fn false_drift(report: &ViewReport, was_quiet: bool) -> Option<String> {
    let is_entry = |item: &str| item.starts_with("ledger entry of ");
    let of_ledger = report.drift.iter().any(|it| is_entry(&it.item));
    let is_count = |item: &str| item.starts_with("albums-");
    let wrong = report.drift.iter().find(|it| {
        (is_count(&it.item) && !of_ledger)
            || (was_quiet && (is_count(&it.item) || is_entry(&it.item)))
    })?;
    Some(format!("verify says that {} is {}, not {}", wrong.item, wrong.found, wrong.expected))
}

/// A report on one line.
fn words(report: &ViewReport) -> String {
    let drift =
        report.drift.iter().map(|it| format!("{} is {}, not {}", it.item, it.found, it.expected));
    let undecided = report.undecided.iter().map(|it| format!("undecided {it}"));
    let words: Vec<_> = drift.chain(undecided).collect();
    if words.is_empty() { "no drift".to_owned() } else { words.join("; ") }
}
