use expect_test::{Expect, expect};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::record::SequenceNumber;
use super::*;
use crate::event_source_mapping::settings::read_settings;

const NOW_SECS: i64 = 1_700_000_000;

fn settings(properties: &str) -> MappingSettings {
    let template = format!(
        "Resources:
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref Worker, EventSourceArn: !GetAtt AlbumsTable.StreamArn,
      StartingPosition: TRIM_HORIZON, {properties}}}
"
    );
    read_settings(&template).expect("settings").remove(0)
}

/// Records with the sequence numbers 1, 2, …; the first `old_count` are two minutes old.
fn batch(count: usize, old_count: usize) -> Vec<Record> {
    (1..=count)
        .map(|number| Record {
            sequence_number: SequenceNumber::new(number.to_string()),
            created_at_secs: Some(if number <= old_count { NOW_SECS - 120 } else { NOW_SECS }),
            item_key: String::new(),
            json: String::new(),
        })
        .collect()
}

#[track_caller]
fn check_verdict(response: &Value, expected: Verdict) {
    assert_eq!(verdict(&batch(4, 0), response, true), expected, "{response}");
}

#[test]
fn responses() {
    let failures = |identifiers: Value| json!({ "batchItemFailures": identifiers });
    let identified = |identifier: Value| json!({ "itemIdentifier": identifier });
    check_verdict(&Value::Null, Verdict::Succeeded);
    check_verdict(&json!({}), Verdict::Succeeded);
    check_verdict(&failures(Value::Null), Verdict::Succeeded);
    check_verdict(&failures(json!([])), Verdict::Succeeded);
    check_verdict(&failures(json!([identified(json!("3"))])), Verdict::FailedFrom(2));
    check_verdict(
        &failures(json!([identified(json!("4")), identified(json!("2"))])),
        Verdict::FailedFrom(1),
    );
    check_verdict(&failures(json!([identified(json!(""))])), Verdict::FailedWhole);
    check_verdict(&failures(json!([identified(Value::Null)])), Verdict::FailedWhole);
    check_verdict(&failures(json!([{ "identifier": "2" }])), Verdict::FailedWhole);
    check_verdict(&failures(json!([identified(json!("9"))])), Verdict::FailedWhole);
    check_verdict(&failures(json!("2")), Verdict::FailedWhole);
    check_verdict(&json!("done"), Verdict::FailedWhole);
    assert_eq!(verdict(&batch(1, 0), &json!("done"), false), Verdict::Succeeded);
}

/// `properties` of the mapping, how many of four records are old, the retries used, the verdict.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes it at the call")]
fn check(properties: &str, old_count: usize, retries: u32, verdict: Verdict, expected: Expect) {
    let now = OffsetDateTime::from_unix_timestamp(NOW_SECS).expect("a time");
    let segment = Segment { start: 0, end: 4, retries };
    let steps = decide(&batch(4, old_count), segment, verdict, &settings(properties), now);
    let steps: Vec<String> = steps
        .iter()
        .map(|step| {
            let Segment { start, end, retries } = step.segment();
            match step {
                Step::Try { delay, .. } => {
                    format!("try {start}..{end} after {} ms, {retries} used", delay.as_millis())
                }
                Step::GiveUp { condition, .. } => {
                    format!("give up {start}..{end}: {}", condition.name())
                }
            }
        })
        .collect();
    expected.assert_eq(&steps.join("; "));
}

#[test]
fn retries() {
    use Verdict::{FailedFrom, FailedWhole, Succeeded};
    check("", 0, 0, Succeeded, expect![""]);
    check("", 0, 0, FailedWhole, expect!["try 0..4 after 100 ms, 1 used"]);
    check("", 0, 40, FailedWhole, expect!["try 0..4 after 5000 ms, 41 used"]);
    check("", 0, 3, FailedFrom(2), expect!["try 2..4 after 100 ms, 1 used"]);
    check("", 0, 3, FailedFrom(0), expect!["try 0..4 after 800 ms, 4 used"]);
}

#[test]
fn bisecting_uses_no_retry_and_retries_end() {
    use Verdict::{FailedFrom, FailedWhole};
    let bisect = "BisectBatchOnFunctionError: true, MaximumRetryAttempts: 2";
    check(
        bisect,
        0,
        1,
        FailedWhole,
        expect!["try 0..2 after 0 ms, 1 used; try 2..4 after 0 ms, 1 used"],
    );
    check(
        bisect,
        0,
        2,
        FailedWhole,
        expect!["try 0..2 after 0 ms, 2 used; try 2..4 after 0 ms, 2 used"],
    );
    check(bisect, 0, 2, FailedFrom(0), expect!["give up 0..4: RetryAttemptsExhausted"]);
    check(bisect, 0, 2, FailedFrom(3), expect!["try 3..4 after 100 ms, 1 used"]);
    check(
        "MaximumRetryAttempts: 0",
        0,
        0,
        FailedWhole,
        expect!["give up 0..4: RetryAttemptsExhausted"],
    );
    check(
        "MaximumRetryAttempts: 0",
        0,
        0,
        FailedFrom(1),
        expect!["give up 1..4: RetryAttemptsExhausted"],
    );
}

#[test]
fn records_grow_too_old_to_be_retried() {
    use Verdict::{FailedFrom, FailedWhole, Succeeded};
    let age = "MaximumRecordAgeInSeconds: 60";
    check(age, 2, 0, Succeeded, expect![""]);
    check(
        age,
        2,
        0,
        FailedWhole,
        expect!["give up 0..2: RecordAgeExceeded; try 2..4 after 100 ms, 1 used"],
    );
    check(age, 4, 0, FailedWhole, expect!["give up 0..4: RecordAgeExceeded"]);
    check(age, 2, 0, FailedFrom(2), expect!["try 2..4 after 100 ms, 1 used"]);
    // A whole batch that failed is split first, whatever its age.
    check(
        "MaximumRecordAgeInSeconds: 60, BisectBatchOnFunctionError: true",
        4,
        0,
        FailedWhole,
        expect!["try 0..2 after 0 ms, 0 used; try 2..4 after 0 ms, 0 used"],
    );
}
