//! The floor: a loop with the processor's own client that sends only what the processor's result
//! needs, decided beforehand and built before the clock starts.

mod record_calls;

use std::hint::black_box;
use std::time::{Duration, Instant};

use afterimage_dynamodb::{Processor, StreamEvent};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::ConsumedCapacity;
use futures::stream::{StreamExt as _, TryStreamExt as _};
use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant as Deadline;

use crate::BenchError;
use crate::engine::Engine;
use crate::workload::record::event_of;
use crate::workload::{Kind, SourceItem, Workload};
use record_calls::{Calls, Read, Recorder};

/// Transactions of `latest` views that the processor has under way at once: one for each group.
const CONCURRENT_GROUPS: usize = 16;

/// Transactions of a `count` view that the processor has under way at once.
const CONCURRENT_COUNT_COMMITS: usize = 8;

/// Reads that the processor has under way at once.
const CONCURRENT_READS: usize = 8;

/// The longest that an event may take: no figure depends on it.
const EVENT_TIME: Duration = Duration::from_secs(1800);

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum What {
    /// The transactions alone.
    Writes,
    /// For each event: `serde_json` reads its JSON into a `Value`, then come the reads that decided it,
    /// then its transactions. Nobody who is handed an event and is exact does less.
    ParseReadsAndWrites,
}

/// How a run of the floor went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FloorRun {
    /// From the first request to the last response.
    pub took: Duration,
    /// Write units consumed.
    pub write_units: f64,
    /// Transactions sent.
    pub transaction_count: usize,
}

/// The calls that a workload needs, event by event.
#[derive(Debug)]
pub struct Floor {
    items: Vec<SourceItem>,
    events_before: Vec<StreamEvent>,
    /// For each event its JSON, and what it needs.
    calls: Vec<(String, Calls)>,
    concurrent_commits: usize,
}

impl Floor {
    /// Finds them: the processor itself runs the workload on an engine of its own.
    ///
    /// # Errors
    /// [`BenchError`] where that fails.
    pub async fn of(kind: Kind, workload: &Workload) -> Result<Self, BenchError> {
        let engine = Engine::start().await?;
        engine.put_all(&workload.items).await?;
        let recorder = Recorder::default();
        let client = recorder.watch(&engine.client());
        let processor = engine.processor(client)?;
        let mut floor = Self {
            items: workload.items.clone(),
            events_before: Vec::new(),
            calls: Vec::new(),
            concurrent_commits: match kind {
                Kind::HotGroup | Kind::ManyGroups => CONCURRENT_GROUPS,
                Kind::NewAlbums | Kind::GenreChanges | Kind::Duplicates => CONCURRENT_COUNT_COMMITS,
            },
        };
        for changes in &workload.events_before {
            let event: StreamEvent = serde_json::from_str(&event_of(changes))?;
            process(&processor, &event).await?;
            floor.events_before.push(event);
        }
        recorder.take();
        for changes in &workload.events {
            let json = event_of(changes);
            process(&processor, &serde_json::from_str(&json)?).await?;
            floor.calls.push((json, recorder.take()));
        }
        Ok(floor)
    }

    /// Sends the calls to an empty engine, once the state before them is in place.
    ///
    /// # Errors
    /// [`BenchError`] where one is refused.
    pub async fn run(&self, what: What) -> Result<FloorRun, BenchError> {
        let engine = Engine::start().await?;
        engine.put_all(&self.items).await?;
        let client = engine.client();
        let processor = engine.processor(client.clone())?;
        for event in &self.events_before {
            process(&processor, event).await?;
        }
        let mut run = FloorRun { took: Duration::ZERO, write_units: 0.0, transaction_count: 0 };
        for (json, calls) in &self.calls {
            let (json, reads) = match what {
                What::Writes => (None, Vec::new()),
                What::ParseReadsAndWrites => (Some(json), calls.reads.clone()),
            };
            let commits: Vec<_> = calls.commits.iter().map(|it| commit(&client, it)).collect();
            run.transaction_count += commits.len();
            let start = Instant::now();
            if let Some(json) = json {
                black_box(serde_json::from_str::<Value>(black_box(json))?);
            }
            send_reads(&client, reads).await?;
            let consumed: Vec<f64> = futures::stream::iter(commits)
                .map(|commit| async move {
                    let output = commit.send().await.map_err(BenchError::engine)?;
                    let units = output.consumed_capacity().iter();
                    Ok::<_, BenchError>(
                        units.filter_map(ConsumedCapacity::capacity_units).sum::<f64>(),
                    )
                })
                .buffer_unordered(self.concurrent_commits)
                .try_collect()
                .await?;
            run.took += start.elapsed();
            run.write_units += consumed.iter().sum::<f64>();
        }
        Ok(run)
    }
}

async fn send_reads(client: &Client, reads: Vec<Read>) -> Result<(), BenchError> {
    futures::stream::iter(reads)
        .map(|read| read.send(client))
        .buffer_unordered(CONCURRENT_READS)
        .try_collect()
        .await
}

/// The recorded transaction as a request of this client; it gets a token of its own.
fn commit(client: &Client, input: &TransactWriteItemsInput) -> TransactWriteItemsFluentBuilder {
    client
        .transact_write_items()
        .set_transact_items(input.transact_items.clone())
        .set_return_consumed_capacity(input.return_consumed_capacity.clone())
}

async fn process(processor: &Processor, event: &StreamEvent) -> Result<(), BenchError> {
    let report = processor.process(event, Deadline::now() + EVENT_TIME).await;
    if report.response().batch_item_failures.is_empty() {
        return Ok(());
    }
    Err(BenchError::State { what: "a record failed while the floor was looked for" })
}
