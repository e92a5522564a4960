use std::collections::HashSet;
use std::sync::Mutex;

use expect_test::{Expect, expect};
use serde_json::json;
use tempfile::TempDir;
use time::OffsetDateTime;

use super::super::record::SequenceNumber;
use super::super::settings::read_settings;
use super::*;

/// What the fake function does with a record, by its sequence number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fault {
    /// The whole invocation fails.
    Error,
    Panic,
    /// It never returns.
    Hang,
    /// It is named as failed.
    Named,
    /// It is named as failed the first time.
    NamedOnce,
}

/// A function with scripted faults, which remembers what it was called with.
#[derive(Debug, Default)]
struct Fake {
    faults: Vec<(u64, Fault)>,
    calls: Mutex<Vec<Vec<u64>>>,
    seen: Mutex<HashSet<u64>>,
}

impl Function for Fake {
    async fn invoke(&self, payload: String, _: Instant) -> Result<Value, FunctionError> {
        let event: Value = serde_json::from_str(&payload)?;
        let numbers: Vec<u64> = event["Records"]
            .as_array()
            .expect("records")
            .iter()
            .map(|record| record["n"].as_u64().expect("a number"))
            .collect();
        self.calls.lock().expect("a lock").push(numbers.clone());
        let mut failures = Vec::new();
        for (number, fault) in &self.faults {
            if !numbers.contains(number) {
                continue;
            }
            let is_first = self.seen.lock().expect("a lock").insert(*number);
            match fault {
                Fault::Error => {
                    return Err(FunctionError::Failed { message: "scripted".to_owned() });
                }
                Fault::Panic => panic!("scripted"),
                Fault::Hang => std::future::pending().await,
                Fault::NamedOnce if !is_first => {}
                Fault::Named | Fault::NamedOnce => {
                    failures.push(json!({ "itemIdentifier": number.to_string() }));
                }
            }
        }
        Ok(json!({ "batchItemFailures": failures }))
    }
}

fn settings(properties: &str) -> MappingSettings {
    let template = format!(
        "Resources:
  Worker: {{Type: 'AWS::Serverless::Function', Properties: {{Timeout: 60}}}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref Worker, EventSourceArn: !GetAtt AlbumsTable.StreamArn,
      StartingPosition: TRIM_HORIZON, FunctionResponseTypes: [ReportBatchItemFailures], {properties}}}
"
    );
    read_settings(&template).expect("settings").remove(0)
}

fn batch(count: u64) -> Vec<Record> {
    (1..=count)
        .map(|number| Record {
            sequence_number: SequenceNumber::new(number.to_string()),
            created_at_secs: None,
            item_key: number.to_string(),
            json: json!({ "n": number }).to_string(),
        })
        .collect()
}

struct Setup {
    delivery: Delivery<Fake>,
    stop: watch::Sender<bool>,
    directory: TempDir,
}

fn setup(properties: &str, faults: &[(u64, Fault)]) -> Setup {
    let directory = tempfile::tempdir().expect("a directory");
    let (stop, stopped) = watch::channel(false);
    let delivery = Delivery {
        settings: Arc::new(settings(properties)),
        function: Arc::new(Fake { faults: faults.to_vec(), ..Fake::default() }),
        on_failure: Arc::new(OnFailure::in_directory(directory.path().to_owned())),
        counters: Arc::default(),
        stream_arn: "stream".to_owned(),
        shard_id: "shard".to_owned(),
        clock: || OffsetDateTime::UNIX_EPOCH,
        stop: stopped,
    };
    Setup { delivery, stop, directory }
}

fn on_failure(directory: &TempDir) -> Vec<String> {
    let describe = |file: std::io::Result<std::fs::DirEntry>| {
        let text = std::fs::read(file.expect("a file").path()).expect("text");
        let it: Value = serde_json::from_slice(&text).expect("JSON");
        let condition = it["requestContext"]["condition"].as_str().expect("text");
        let info = &it["DDBStreamBatchInfo"];
        format!("{condition} {}..{}", info["startSequenceNumber"], info["endSequenceNumber"])
    };
    std::fs::read_dir(directory.path()).expect("a directory").map(describe).collect()
}

/// Delivers six records, and tells the calls, what was kept, and the time that it took.
#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes it at the call")]
fn check(properties: &str, faults: &[(u64, Fault)], expected: Expect) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime");
    let Setup { delivery, stop: _stop, directory } = setup(properties, faults);
    let done = Mutex::new(Vec::new());
    let elapsed = runtime.block_on(async {
        let started = Instant::now();
        let note = |records: &[Record]| {
            let numbers = records.iter().map(|record| record.sequence_number.to_string());
            done.lock().expect("a lock").extend(numbers);
        };
        delivery.deliver(&batch(6), async || true, note).await;
        started.elapsed()
    });
    assert_eq!(done.into_inner().expect("a lock"), ["1", "2", "3", "4", "5", "6"], "in order");
    let calls = delivery.function.calls.lock().expect("a lock").clone();
    let mut lines: Vec<String> = calls.iter().map(|call| format!("{call:?}")).collect();
    lines.extend(on_failure(&directory));
    lines.push(format!("{} ms", elapsed.as_millis()));
    expected.assert_eq(&lines.join("\n"));
}

const BISECT: &str = "BisectBatchOnFunctionError: true, MaximumRetryAttempts: 1";

#[test]
fn a_good_batch_is_one_call() {
    check(
        "",
        &[],
        expect![[r#"
        [1, 2, 3, 4, 5, 6]
        0 ms"#]],
    );
}

#[test]
fn a_poison_record_is_isolated_and_harms_no_other() {
    check(
        BISECT,
        &[(4, Fault::Error)],
        expect![[r#"
        [1, 2, 3, 4, 5, 6]
        [1, 2, 3]
        [4, 5, 6]
        [4, 5]
        [4]
        [4]
        [5]
        [6]
        RetryAttemptsExhausted "4".."4"
        100 ms"#]],
    );
    check(
        BISECT,
        &[(4, Fault::Panic)],
        expect![[r#"
        [1, 2, 3, 4, 5, 6]
        [1, 2, 3]
        [4, 5, 6]
        [4, 5]
        [4]
        [4]
        [5]
        [6]
        RetryAttemptsExhausted "4".."4"
        100 ms"#]],
    );
}

#[test]
fn without_bisecting_the_whole_batch_is_given_up() {
    check(
        "MaximumRetryAttempts: 2",
        &[(4, Fault::Error)],
        expect![[r#"
        [1, 2, 3, 4, 5, 6]
        [1, 2, 3, 4, 5, 6]
        [1, 2, 3, 4, 5, 6]
        RetryAttemptsExhausted "1".."6"
        300 ms"#]],
    );
}

#[test]
fn a_batch_is_retried_from_the_lowest_record_named() {
    check(
        BISECT,
        &[(3, Fault::NamedOnce), (5, Fault::NamedOnce)],
        expect![[r#"
            [1, 2, 3, 4, 5, 6]
            [3, 4, 5, 6]
            100 ms"#]],
    );
    check(
        BISECT,
        &[(3, Fault::Named)],
        expect![[r#"
        [1, 2, 3, 4, 5, 6]
        [3, 4, 5, 6]
        RetryAttemptsExhausted "3".."6"
        100 ms"#]],
    );
}

#[test]
fn a_function_that_hangs_has_failed_at_its_deadline() {
    check(
        "MaximumRetryAttempts: 0",
        &[(1, Fault::Hang)],
        expect![[r#"
        [1, 2, 3, 4, 5, 6]
        RetryAttemptsExhausted "1".."6"
        60000 ms"#]],
    );
}

#[tokio::test(start_paused = true)]
async fn stopping_leaves_what_is_not_done_for_the_next_start() {
    let Setup { delivery, stop, directory } = setup("", &[(3, Fault::Named)]);
    let done = Mutex::new(0);
    let batch = batch(6);
    let deliver = delivery.deliver(
        &batch,
        async || true,
        |records| {
            *done.lock().expect("a lock") += records.len();
        },
    );
    let stop_later = async {
        tokio::time::sleep(Duration::from_secs(60)).await;
        stop.send(true).expect("somebody listens");
    };
    tokio::join!(deliver, stop_later);
    assert_eq!(*done.lock().expect("a lock"), 2);
    assert_eq!(on_failure(&directory), Vec::<String>::new());
}
