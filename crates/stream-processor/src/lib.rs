//! The stream-triggered Lambda: applies a batch, and logs one wide event.

use std::collections::BTreeMap;

use afterimage::Outcome;
use afterimage_dynamodb::{BatchReport, Processor, StreamEvent};
use tokio::time::Instant;

/// Applies a batch before the deadline, and logs one event for the invocation: how many records, how
/// often each outcome by view, the lowest sequence number that failed, units, set-backs, duration.
pub async fn handle(processor: &Processor, event: &StreamEvent, deadline: Instant) -> BatchReport {
    let start = Instant::now();
    let report = processor.process(event, deadline).await;
    let failed: Vec<_> = report.records.iter().filter(|record| record.is_failed()).collect();
    for record in &failed {
        tracing::warn!(
            table = record.table_name,
            sequence_number = record.sequence_number,
            "record failed, to be delivered again"
        );
    }
    let response = report.response();
    let lowest = response.batch_item_failures.first();
    tracing::info!(
        record_count = report.records.len(),
        failed_count = failed.len(),
        lowest_failed_sequence_number = lowest.and_then(|it| it.item_identifier.as_deref()),
        outcomes = outcome_counts(&report),
        write_units = report.consumption.write_units,
        read_units = report.consumption.read_units,
        transaction_count = report.consumption.transaction_count,
        conflict_count = report.consumption.conflict_count,
        retry_count = report.consumption.retry_count,
        duration_ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        "batch processed"
    );
    report
}

/// How often each outcome stands in the report: `view.outcome=n`, in the order of names.
fn outcome_counts(report: &BatchReport) -> String {
    let mut counts: BTreeMap<(&str, Outcome), u64> = BTreeMap::new();
    for place in report.outcomes() {
        *counts.entry(place).or_insert(0) += 1;
    }
    let texts = counts.iter().map(|((view, outcome), count)| format!("{view}.{outcome}={count}"));
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use afterimage_dynamodb::{Consumption, RecordReport};

    use super::*;

    #[test]
    fn outcomes_are_counted_by_view() {
        let record = |outcome| RecordReport {
            sequence_number: Some("1".to_owned()),
            event_name: None,
            table_name: None,
            outcomes: vec![("b".to_owned(), outcome), ("a".to_owned(), Outcome::Applied)],
        };
        let report = BatchReport {
            records: vec![
                record(Outcome::Applied),
                record(Outcome::Failed),
                record(Outcome::Failed),
            ],
            consumption: Consumption::default(),
        };
        assert_eq!(outcome_counts(&report), "a.applied=3 b.applied=1 b.failed=2");
    }
}
