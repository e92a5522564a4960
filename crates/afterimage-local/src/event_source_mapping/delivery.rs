//! Delivers a batch to the function until every record is done.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;
use tokio::time::Instant;

use super::counters::Counters;
use super::function::{Function, FunctionError, call};
use super::on_failure::{OnFailure, Undelivered};
use super::record::Record;
use super::retry::{self, Segment, Step, Verdict};
use super::settings::MappingSettings;
use super::{Clock, batch};

/// The delay before an on-failure record that could not be written is tried again.
const KEEP_AGAIN_DELAY: Duration = Duration::from_secs(1);

/// What delivering the batches of one shard needs.
#[derive(Debug)]
pub(super) struct Delivery<F> {
    pub settings: Arc<MappingSettings>,
    pub function: Arc<F>,
    pub on_failure: Arc<OnFailure>,
    pub counters: Arc<Counters>,
    pub stream_arn: String,
    pub shard_id: String,
    pub clock: Clock,
    /// Turns true when the shard's delivery is to stop.
    pub stop: watch::Receiver<bool>,
}

impl<F: Function> Delivery<F> {
    /// Delivers a batch, in order, and tells which records are done as they are. It returns true when
    /// all are. It returns false when it is to stop, or when the batch is not current any more, which
    /// is asked before every invocation: then the invocation in hand is finished, and the rest is not
    /// done.
    pub(super) async fn deliver<Current: Future<Output = bool>>(
        &self,
        batch: &[Record],
        is_current: impl Fn() -> Current,
        done: impl Fn(&[Record]),
    ) -> bool {
        let done = |segment: Segment| {
            let records = records_of(batch, segment);
            self.counters.add_processed(records.len());
            done(records);
        };
        let whole = Segment { start: 0, end: batch.len(), retries: 0 };
        let mut steps = VecDeque::from([Step::Try { segment: whole, delay: Duration::ZERO }]);
        let mut invoke_count = 0;
        let mut function_failed = false;
        while let Some(step) = steps.pop_front() {
            match step {
                Step::Try { segment, delay } => {
                    if self.stopped_within(delay).await || !is_current().await {
                        return false;
                    }
                    invoke_count += 1;
                    let result = self.invoke(records_of(batch, segment)).await;
                    function_failed = result.is_err();
                    let verdict = self.verdict(records_of(batch, segment), &result);
                    let now = (self.clock)();
                    let next = retry::decide(batch, segment, verdict, &self.settings, now);
                    let end = next.first().map_or(segment.end, |step| step.segment().start);
                    done(Segment { end, ..segment });
                    for step in next.into_iter().rev() {
                        steps.push_front(step);
                    }
                }
                Step::GiveUp { segment, condition } => {
                    let undelivered = Undelivered {
                        records: records_of(batch, segment),
                        condition,
                        function_name: &self.settings.function_name,
                        stream_arn: &self.stream_arn,
                        shard_id: &self.shard_id,
                        invoke_count,
                        function_failed,
                        now: (self.clock)(),
                    };
                    if !self.keep(&undelivered).await {
                        return false;
                    }
                    self.counters.add_on_failure(undelivered.records.len());
                    done(segment);
                }
            }
        }
        true
    }

    async fn invoke(&self, records: &[Record]) -> Result<Value, FunctionError> {
        let started = Instant::now();
        let deadline = started + self.settings.function_timeout;
        let result = call(&self.function, batch::event(records), deadline).await;
        let duration_ms = started.elapsed().as_millis() as u64;
        let (mapping, record_count) = (&self.settings.name, records.len());
        match &result {
            Ok(_) => tracing::info!(mapping, record_count, duration_ms, "batch delivered"),
            Err(error) => {
                tracing::warn!(mapping, record_count, duration_ms, %error, "batch failed");
            }
        }
        result
    }

    fn verdict(&self, records: &[Record], result: &Result<Value, FunctionError>) -> Verdict {
        let verdict = match result {
            Ok(response) => {
                let reports_failures = self.settings.reports_batch_item_failures;
                retry::verdict(records, response, reports_failures)
            }
            Err(_) => Verdict::FailedWhole,
        };
        if let (Verdict::FailedFrom(place), mapping) = (verdict, &self.settings.name) {
            let failed = records.get(place).map(|record| record.sequence_number.as_str());
            tracing::warn!(mapping, sequence_number = failed, "batch failed in part");
        }
        verdict
    }

    /// Keeps an on-failure record, however often that takes; false if it is to stop before.
    async fn keep(&self, undelivered: &Undelivered<'_>) -> bool {
        let (mapping, record_count) = (&self.settings.name, undelivered.records.len());
        let condition = undelivered.condition.name();
        loop {
            match self.on_failure.keep(undelivered) {
                Ok(path) => {
                    let file = path.display();
                    tracing::error!(mapping, record_count, condition, %file, "records given up");
                    return true;
                }
                Err(error) => {
                    tracing::error!(mapping, record_count, %error, "on-failure record not kept");
                }
            }
            if self.stopped_within(KEEP_AGAIN_DELAY).await {
                return false;
            }
        }
    }

    /// Waits; true if it is to stop.
    async fn stopped_within(&self, delay: Duration) -> bool {
        let mut stop = self.stop.clone();
        if *stop.borrow() {
            return true;
        }
        // An error means that nobody can stop it any more: then nobody waits for it either.
        !delay.is_zero() && tokio::time::timeout(delay, stop.wait_for(|stop| *stop)).await.is_ok()
    }
}

/// The records of a segment. Segments lie within their batch.
fn records_of(batch: &[Record], segment: Segment) -> &[Record] {
    batch.get(segment.start..segment.end).unwrap_or_default()
}

#[cfg(test)]
mod tests;
