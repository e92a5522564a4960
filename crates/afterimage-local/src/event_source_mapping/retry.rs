//! What follows an invocation: pure decisions about a batch, its response and the time
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html>).
//!
//! Where the documentation is silent: an identifier that is not of the batch fails the whole batch,
//! and partial progress begins the count of retries anew. A record is always tried once, whatever
//! its age: a stack that was off for a while would otherwise drop what nobody tried.

use std::time::Duration;

use serde_json::Value;
use time::OffsetDateTime;

use super::record::Record;
use super::settings::MappingSettings;

/// The first delay before a retry; it doubles up to the longest.
const FIRST_DELAY: Duration = Duration::from_millis(100);
const LONGEST_DELAY: Duration = Duration::from_secs(5);

/// A run of a batch's records that is tried as one: `start..end`, never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub start: usize,
    pub end: usize,
    /// How many retries it has used up.
    pub retries: u32,
}

/// What an invocation said about its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    Succeeded,
    /// The record at this place, and all behind it, are retried.
    FailedFrom(usize),
    FailedWhole,
}

/// Why a run of records is not tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    RetryAttemptsExhausted,
    RecordAgeExceeded,
}

impl Condition {
    /// The name in an on-failure record.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Condition::RetryAttemptsExhausted => "RetryAttemptsExhausted",
            Condition::RecordAgeExceeded => "RecordAgeExceeded",
        }
    }
}

/// What to do next with a run of records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Try { segment: Segment, delay: Duration },
    GiveUp { segment: Segment, condition: Condition },
}

impl Step {
    /// The records that it is about.
    pub(super) const fn segment(&self) -> Segment {
        match self {
            Step::Try { segment, .. } | Step::GiveUp { segment, .. } => *segment,
        }
    }
}

/// Reads the response of an invocation of `records`. Without `ReportBatchItemFailures` any response
/// is a success.
pub(super) fn verdict(records: &[Record], response: &Value, reports_failures: bool) -> Verdict {
    if !reports_failures {
        return Verdict::Succeeded;
    }
    let failures = match response {
        Value::Null => return Verdict::Succeeded,
        Value::Object(fields) => match fields.get("batchItemFailures") {
            None | Some(Value::Null) => return Verdict::Succeeded,
            Some(Value::Array(failures)) => failures,
            Some(_) => return Verdict::FailedWhole,
        },
        _ => return Verdict::FailedWhole,
    };
    let mut lowest = None;
    for failure in failures {
        let identifier = failure.get("itemIdentifier").and_then(Value::as_str);
        let place =
            records.iter().position(|record| Some(record.sequence_number.as_str()) == identifier);
        let Some(place) = place else {
            return Verdict::FailedWhole;
        };
        lowest = Some(lowest.map_or(place, |lowest: usize| lowest.min(place)));
    }
    lowest.map_or(Verdict::Succeeded, Verdict::FailedFrom)
}

/// What to do after a verdict on a segment of a batch: the steps, in order. The segment's records
/// before the first step are done.
pub(super) fn decide(
    batch: &[Record],
    segment: Segment,
    verdict: Verdict,
    settings: &MappingSettings,
    now: OffsetDateTime,
) -> Vec<Step> {
    let failed = match verdict {
        Verdict::Succeeded => return Vec::new(),
        Verdict::FailedWhole | Verdict::FailedFrom(0) => segment,
        Verdict::FailedFrom(place) => {
            Segment { start: segment.start + place, retries: 0, ..segment }
        }
    };
    let failed_count = failed.end - failed.start;
    if verdict == Verdict::FailedWhole && settings.bisect_on_function_error && failed_count > 1 {
        // Before age counts: else one bad call after a long stop would give up good records.
        // Splitting uses no retry.
        let half = failed.start + failed_count.div_ceil(2);
        let halves = [Segment { end: half, ..failed }, Segment { start: half, ..failed }];
        return halves.map(|segment| Step::Try { segment, delay: Duration::ZERO }).into();
    }
    let is_expired = |record: &Record| match (settings.maximum_record_age, record.created_at_secs) {
        (Some(maximum), Some(created_at_secs)) => {
            now.unix_timestamp().saturating_sub(created_at_secs) > maximum.as_secs().cast_signed()
        }
        (None, _) | (_, None) => false,
    };
    let records = batch.get(failed.start..failed.end).into_iter().flatten();
    let expired_count = records.take_while(|record| is_expired(record)).count();
    let middle = failed.start + expired_count;
    let mut steps = Vec::new();
    if expired_count > 0 {
        let segment = Segment { end: middle, ..failed };
        steps.push(Step::GiveUp { segment, condition: Condition::RecordAgeExceeded });
    }
    let rest = Segment { start: middle, ..failed };
    let exhausted = settings.maximum_retry_attempts.is_some_and(|maximum| rest.retries >= maximum);
    if rest.start == rest.end {
        return steps;
    }
    if exhausted {
        steps.push(Step::GiveUp { segment: rest, condition: Condition::RetryAttemptsExhausted });
    } else {
        let segment = Segment { retries: rest.retries + 1, ..rest };
        steps.push(Step::Try { segment, delay: retry_delay(rest.retries) });
    }
    steps
}

/// The delay before the retry that follows `retries` others.
pub(super) fn retry_delay(retries: u32) -> Duration {
    FIRST_DELAY.saturating_mul(1_u32.checked_shl(retries).unwrap_or(u32::MAX)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests;
