//! What became of a batch.

use afterimage::Outcome;
use aws_lambda_events::event::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};

use crate::meter::Consumption;

/// What became of one record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordReport {
    /// The stream's sequence number, where the record has one.
    pub sequence_number: Option<String>,
    /// `INSERT`, `MODIFY` or `REMOVE`; `None` where the record could not be decoded.
    pub event_name: Option<String>,
    /// The source table's real name, where the record tells it.
    pub table_name: Option<String>,
    /// When the item was changed, in milliseconds since 1970, where the record tells it: DynamoDB gives
    /// whole seconds.
    pub created_at_ms: Option<i64>,
    /// The outcome for each view that reads the record's table; a record that no view could be
    /// found for has one entry with the view `-`.
    pub outcomes: Vec<(String, Outcome)>,
}

impl RecordReport {
    /// Whether the record has to be delivered again.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Failed)
    }
}

/// What became of a batch, record by record in the order of the event.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BatchReport {
    /// One entry per record, in the order of the event.
    pub records: Vec<RecordReport>,
    /// What the records consumed.
    pub consumption: Consumption,
    /// What the registry consumed: one read, unless it changed or was made.
    pub registry_consumption: Consumption,
    /// When the batch was done, in milliseconds since 1970.
    pub finished_at_ms: i64,
    /// How many differences there are between the processor's own views file and the registry.
    pub difference_count: u64,
    /// How many registered views cannot be maintained.
    pub unreadable_count: u64,
}

impl BatchReport {
    /// The partial batch response: every failed record, the lowest sequence number first. A failed
    /// record without a sequence number fails the batch as a whole, by an empty identifier
    /// (<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>).
    #[must_use]
    pub fn response(&self) -> DynamoDbEventResponse {
        let mut identifiers: Vec<String> = Vec::new();
        for record in self.records.iter().filter(|record| record.is_failed()) {
            match &record.sequence_number {
                Some(sequence_number) => identifiers.push(sequence_number.clone()),
                None => {
                    identifiers = vec![String::new()];
                    break;
                }
            }
        }
        identifiers.sort_by(|one, other| (one.len(), one).cmp(&(other.len(), other)));
        identifiers.dedup();
        let mut response = DynamoDbEventResponse::default();
        response.batch_item_failures = identifiers
            .into_iter()
            .map(|identifier| {
                let mut failure = DynamoDbBatchItemFailure::default();
                failure.item_identifier = Some(identifier);
                failure
            })
            .collect();
        response
    }

    /// How long ago the oldest of these records was changed when the batch was done: up to a second
    /// too much, since changes are dated in whole seconds. `None` where no record tells when.
    #[must_use]
    pub fn lag_ms(&self, is_meant: impl Fn(&RecordReport) -> bool) -> Option<i64> {
        let records = self.records.iter().filter(|record| is_meant(record));
        let oldest = records.filter_map(|record| record.created_at_ms).min()?;
        // Clocks of two machines differ.
        Some(self.finished_at_ms.saturating_sub(oldest).max(0))
    }

    /// The lag of the records that the view reads.
    #[must_use]
    pub fn view_lag_ms(&self, view: &str) -> Option<i64> {
        self.lag_ms(|record| record.outcomes.iter().any(|(name, _)| name == view))
    }

    /// How often each outcome stands in the report, by view.
    pub fn outcomes(&self) -> impl Iterator<Item = (&str, Outcome)> {
        self.records
            .iter()
            .flat_map(|record| record.outcomes.iter())
            .map(|(view, outcome)| (view.as_str(), *outcome))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(sequence_number: Option<&str>, outcome: Outcome) -> RecordReport {
        RecordReport {
            sequence_number: sequence_number.map(str::to_owned),
            event_name: None,
            table_name: None,
            created_at_ms: None,
            outcomes: vec![("view".to_owned(), outcome)],
        }
    }

    #[track_caller]
    fn check(records: &[(Option<&str>, Outcome)], expected: &[&str]) {
        let records = records.iter().map(|(number, outcome)| record(*number, *outcome)).collect();
        let report = BatchReport { records, ..BatchReport::default() };
        let failures = report.response().batch_item_failures;
        let found: Vec<_> = failures.into_iter().map(|it| it.item_identifier.unwrap()).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn failed_records_are_reported_lowest_first() {
        check(&[], &[]);
        check(&[(Some("1"), Outcome::Applied), (None, Outcome::Parked)], &[]);
        check(
            &[
                (Some("1000"), Outcome::Failed),
                (Some("300"), Outcome::Applied),
                (Some("999"), Outcome::Failed),
                (Some("999"), Outcome::Failed),
            ],
            &["999", "1000"],
        );
    }

    #[test]
    fn a_failed_record_without_a_number_fails_the_batch_whole() {
        check(&[(Some("1"), Outcome::Failed), (None, Outcome::Failed)], &[""]);
    }
}
