//! What an invocation tells: one wide event, and the metrics of each view and outcome. `docs/operating.md`
//! lists the names; nothing of an item is among them.

use std::collections::BTreeMap;

use afterimage::Outcome;
use afterimage_dynamodb::BatchReport;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::emf::{MetricLine, Unit};

/// What is known of an invocation beside its batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The function's name: deployments beside each other are told apart by it.
    pub function_name: String,
    /// Lambda's id of the request.
    pub request_id: String,
    /// Whether it is the first one of the process.
    pub is_cold_start: bool,
    /// How long the batch took.
    pub duration_ms: u64,
}

/// How often each outcome occurred, by view.
type OutcomeCounts<'a> = BTreeMap<&'a str, BTreeMap<&'static str, u64>>;

/// The lines of an invocation: the wide event, then a line for each view, then one for each view and
/// outcome that occurred.
#[must_use]
pub fn lines(invocation: &Invocation, report: &BatchReport) -> Vec<String> {
    let counts = outcome_counts(report);
    let timestamp = timestamp(report.finished_at_ms);
    let mut lines = vec![wide_event(invocation, report, &counts)];
    for (view, outcomes) in &counts {
        lines.push(view_line(view, report, outcomes));
        lines.extend(outcomes.iter().map(|(outcome, count)| {
            MetricLine::new("outcome counted")
                .dimension("View", view)
                .dimension("Outcome", outcome)
                .metric("record_count", Unit::Count, *count)
        }));
    }
    let finished = lines.into_iter().map(|line| {
        line.dimension("FunctionName", &invocation.function_name)
            .field("timestamp", timestamp.clone())
            .field("requestId", invocation.request_id.clone())
            .to_json(report.finished_at_ms)
    });
    finished.collect()
}

fn wide_event(
    invocation: &Invocation,
    report: &BatchReport,
    counts: &OutcomeCounts<'_>,
) -> MetricLine {
    let of = |outcome: Outcome| -> u64 {
        counts.values().filter_map(|outcomes| outcomes.get(outcome.name())).sum()
    };
    let failed_count = report.records.iter().filter(|record| record.is_failed()).count();
    let response = report.response();
    let lowest = response.batch_item_failures.first();
    let consumed = report.consumption.and(report.registry_consumption);
    let line = MetricLine::new("batch processed")
        .metric("record_count", Unit::Count, report.records.len())
        .metric("failed_count", Unit::Count, failed_count)
        .metric("parked_count", Unit::Count, of(Outcome::Parked))
        .metric("duplicate_count", Unit::Count, of(Outcome::Duplicate))
        .metric("write_units", Unit::Count, consumed.write_units)
        .metric("read_units", Unit::Count, consumed.read_units)
        .metric("conflict_count", Unit::Count, consumed.conflict_count)
        .metric("retry_count", Unit::Count, consumed.retry_count)
        .metric("duration_ms", Unit::Milliseconds, invocation.duration_ms)
        .metric("difference_count", Unit::Count, report.difference_count)
        .metric("unreadable_view_count", Unit::Count, report.unreadable_count)
        .field("registry_read_units", report.registry_consumption.read_units)
        .field("transaction_count", consumed.transaction_count)
        .field("outcomes", json!(counts))
        .field("cold_start", invocation.is_cold_start);
    let lowest = lowest.and_then(|it| it.item_identifier.as_deref());
    let line = with(line, "lowest_failed_sequence_number", lowest);
    with(line, "oldest_record_lag_ms", report.lag_ms(|_| true))
}

fn view_line(
    view: &str,
    report: &BatchReport,
    outcomes: &BTreeMap<&'static str, u64>,
) -> MetricLine {
    let parked_count = outcomes.get(Outcome::Parked.name()).copied().unwrap_or_default();
    let line = MetricLine::new("view updated").dimension("View", view).metric(
        "parked_count",
        Unit::Count,
        parked_count,
    );
    match report.view_lag_ms(view) {
        Some(lag_ms) => line.metric("view_lag_seconds", Unit::Seconds, lag_ms as f64 / 1000.0),
        None => line,
    }
}

/// What is not known has no field.
fn with(line: MetricLine, name: &str, value: Option<impl Into<Value>>) -> MetricLine {
    match value {
        Some(value) => line.field(name, value),
        None => line,
    }
}

fn outcome_counts(report: &BatchReport) -> OutcomeCounts<'_> {
    let mut counts = OutcomeCounts::new();
    for (view, outcome) in report.outcomes() {
        *counts.entry(view).or_default().entry(outcome.name()).or_insert(0) += 1;
    }
    counts
}

/// The time as RFC 3339, which Lambda asks of a line that it should take the level from.
fn timestamp(at_ms: i64) -> Value {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).ok();
    at.and_then(|at| at.format(&Rfc3339).ok()).map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use afterimage_dynamodb::{Consumption, RecordReport};
    use expect_test::{Expect, expect};

    use super::*;

    fn record(
        number: &str,
        created_at_ms: Option<i64>,
        outcomes: &[(&str, Outcome)],
    ) -> RecordReport {
        RecordReport {
            sequence_number: Some(number.to_owned()),
            event_name: None,
            table_name: None,
            created_at_ms,
            outcomes: outcomes.iter().map(|(view, it)| ((*view).to_owned(), *it)).collect(),
        }
    }

    #[track_caller]
    fn check(records: Vec<RecordReport>, expected: &Expect) {
        let invocation = Invocation {
            function_name: "f1".to_owned(),
            request_id: "r1".to_owned(),
            is_cold_start: true,
            duration_ms: 5,
        };
        let consumption = Consumption { write_units: 4.0, ..Consumption::default() };
        let report = BatchReport {
            records,
            consumption,
            registry_consumption: Consumption { read_units: 0.5, ..Consumption::default() },
            finished_at_ms: 1_767_600_001_500,
            difference_count: 2,
            unreadable_count: 0,
        };
        let lines = lines(&invocation, &report).into_iter().map(|line| {
            let mut line: Value = serde_json::from_str(&line).expect("JSON");
            let members = line.as_object_mut().expect("an object");
            members.remove("_aws");
            members.remove("requestId");
            assert_eq!(members.remove("FunctionName"), Some(json!("f1")));
            assert_eq!(members.remove("timestamp"), Some(json!("2026-01-05T08:00:01.5Z")));
            assert_eq!(members.remove("level"), Some(json!("INFO")));
            format!("{line}\n")
        });
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn an_invocation_is_one_wide_event_and_a_line_for_each_view_and_outcome() {
        check(
            vec![
                record("7", Some(1_767_600_000_000), &[("a", Outcome::Applied)]),
                record("8", None, &[("a", Outcome::Failed), ("b", Outcome::Parked)]),
                record("9", Some(1_767_600_001_000), &[("a", Outcome::Applied)]),
            ],
            &expect![[r#"
                {"cold_start":true,"conflict_count":0,"difference_count":2,"duplicate_count":0,"duration_ms":5,"failed_count":1,"lowest_failed_sequence_number":"8","message":"batch processed","oldest_record_lag_ms":1500,"outcomes":{"a":{"applied":2,"failed":1},"b":{"parked":1}},"parked_count":1,"read_units":0.5,"record_count":3,"registry_read_units":0.5,"retry_count":0,"transaction_count":0,"unreadable_view_count":0,"write_units":4.0}
                {"View":"a","message":"view updated","parked_count":0,"view_lag_seconds":1.5}
                {"Outcome":"applied","View":"a","message":"outcome counted","record_count":2}
                {"Outcome":"failed","View":"a","message":"outcome counted","record_count":1}
                {"View":"b","message":"view updated","parked_count":1}
                {"Outcome":"parked","View":"b","message":"outcome counted","record_count":1}
            "#]],
        );
    }

    #[test]
    fn a_record_from_the_future_has_no_lag() {
        check(
            vec![record("7", Some(1_767_600_002_000), &[("a", Outcome::Duplicate)])],
            &expect![[r#"
                {"cold_start":true,"conflict_count":0,"difference_count":2,"duplicate_count":1,"duration_ms":5,"failed_count":0,"message":"batch processed","oldest_record_lag_ms":0,"outcomes":{"a":{"duplicate":1}},"parked_count":0,"read_units":0.5,"record_count":1,"registry_read_units":0.5,"retry_count":0,"transaction_count":0,"unreadable_view_count":0,"write_units":4.0}
                {"View":"a","message":"view updated","parked_count":0,"view_lag_seconds":0.0}
                {"Outcome":"duplicate","View":"a","message":"outcome counted","record_count":1}
            "#]],
        );
    }
}
