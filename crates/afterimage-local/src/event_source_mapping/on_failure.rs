//! On-failure records: the batches that a mapping gave up on
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use uuid::Uuid;

use super::batch;
use super::record::Record;
use super::retry::Condition;
use crate::durable_file;

/// Where on-failure records are kept: one file for each, in a directory that is made with the first.
/// The file's `payload` is the event, to be replayed.
#[derive(Debug)]
pub struct OnFailure {
    directory: PathBuf,
}

/// Why an on-failure record was not kept.
#[derive(Debug, thiserror::Error)]
#[error("the on-failure record could not be written to {path}")]
pub struct OnFailureError {
    /// The file.
    path: PathBuf,
    /// What the system said.
    #[source]
    source: std::io::Error,
}

/// What is given up, and why.
#[derive(Debug)]
pub(super) struct Undelivered<'a> {
    pub records: &'a [Record],
    pub condition: Condition,
    pub function_name: &'a str,
    pub stream_arn: &'a str,
    pub shard_id: &'a str,
    pub invoke_count: u32,
    /// Whether the function failed as a whole; else it named the records.
    pub function_failed: bool,
    pub now: OffsetDateTime,
}

impl OnFailure {
    /// Keeps them in this directory.
    #[must_use]
    pub fn in_directory(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Keeps them in a temporary directory of its own, which outlives the process: for a stack that
    /// keeps nothing else. The log names each file.
    #[must_use]
    pub fn in_temporary_directory() -> Self {
        let name = format!("afterimage-on-failure-{}", Uuid::new_v4());
        Self { directory: std::env::temp_dir().join(name) }
    }

    /// Keeps what is given up, and tells in which file. When it returns, the record survives a crash.
    ///
    /// # Errors
    /// [`OnFailureError`]; nothing is kept then.
    pub(super) fn keep(&self, undelivered: &Undelivered<'_>) -> Result<PathBuf, OnFailureError> {
        let record = on_failure_record(undelivered);
        let path = self.directory.join(file_name(undelivered.now));
        let written = make_private(&self.directory)
            .and_then(|()| durable_file::write(&path, record.to_string().as_bytes()));
        match written {
            Ok(()) => Ok(path),
            Err(source) => Err(OnFailureError { path, source }),
        }
    }
}

/// Makes a directory that only its owner may enter: the files hold items.
fn make_private(directory: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// As the key that Lambda gives its objects in S3: `YYYY-MM-DDTHH.MM.SS-<random UUID>`.
fn file_name(now: OffsetDateTime) -> String {
    let format = format_description!("[year]-[month]-[day]T[hour].[minute].[second]");
    let prefix = now.format(&format).map(|it| it + "-").unwrap_or_default();
    format!("{prefix}{}.json", Uuid::new_v4())
}

/// The record as a destination in S3 gets it: with the payload.
fn on_failure_record(undelivered: &Undelivered<'_>) -> Value {
    let Undelivered { records, condition, function_name, now, .. } = undelivered;
    let arrival = |record: Option<&Record>| {
        let created_at_secs = record.and_then(|record| record.created_at_secs)?;
        let created_at = OffsetDateTime::from_unix_timestamp(created_at_secs).ok()?;
        created_at.format(&Rfc3339).ok()
    };
    let sequence_number =
        |record: Option<&Record>| record.map(|record| record.sequence_number.to_string());
    let mut response_context = json!({ "statusCode": 200, "executedVersion": "$LATEST" });
    if let (true, Some(fields)) = (undelivered.function_failed, response_context.as_object_mut()) {
        fields.insert("functionError".to_owned(), "Unhandled".into());
    }
    json!({
        "requestContext": {
            "requestId": Uuid::new_v4().to_string(),
            "functionArn": format!("arn:aws:lambda:us-east-1:000000000000:function:{function_name}"),
            "condition": condition.name(),
            "approximateInvokeCount": undelivered.invoke_count,
        },
        "responseContext": response_context,
        "version": "1.0",
        "timestamp": now.format(&Rfc3339).ok(),
        "DDBStreamBatchInfo": {
            "shardId": undelivered.shard_id,
            "startSequenceNumber": sequence_number(records.first()),
            "endSequenceNumber": sequence_number(records.last()),
            "approximateArrivalOfFirstRecord": arrival(records.first()),
            "approximateArrivalOfLastRecord": arrival(records.last()),
            "batchSize": records.len(),
            "streamArn": undelivered.stream_arn,
        },
        "payload": batch::event(records),
    })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::super::record::SequenceNumber;
    use super::*;

    #[test]
    fn an_on_failure_record_has_lambda_s_shape_and_its_file_is_whole() {
        let record = |number: &str| Record {
            sequence_number: SequenceNumber::new(number),
            created_at_secs: Some(1_700_000_000),
            item_key: String::new(),
            json: format!(r#"{{"n":{number}}}"#),
        };
        let records = [record("8"), record("9")];
        let undelivered = Undelivered {
            records: &records,
            condition: Condition::RetryAttemptsExhausted,
            function_name: "StreamProcessor",
            stream_arn: "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/l",
            shard_id: "shard",
            invoke_count: 3,
            function_failed: true,
            now: OffsetDateTime::from_unix_timestamp(1_700_000_100).expect("a time"),
        };
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("on-failure");
        OnFailure::in_directory(path.clone()).keep(&undelivered).expect("kept");
        let file =
            fs::read_dir(path).expect("a directory").next().expect("a file").expect("a file");
        let name = file.file_name().into_string().expect("a name");
        assert!(name.starts_with("2023-11-14T22.15.00-"), "{name}");
        let text = fs::read(file.path()).expect("text");
        let mut record: Value = serde_json::from_slice(&text).expect("JSON");
        record["requestContext"]["requestId"] = "r".into();
        expect![[r#"
            {
              "DDBStreamBatchInfo": {
                "approximateArrivalOfFirstRecord": "2023-11-14T22:13:20Z",
                "approximateArrivalOfLastRecord": "2023-11-14T22:13:20Z",
                "batchSize": 2,
                "endSequenceNumber": "9",
                "shardId": "shard",
                "startSequenceNumber": "8",
                "streamArn": "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/l"
              },
              "payload": "{\"Records\":[{\"n\":8},{\"n\":9}]}",
              "requestContext": {
                "approximateInvokeCount": 3,
                "condition": "RetryAttemptsExhausted",
                "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:StreamProcessor",
                "requestId": "r"
              },
              "responseContext": {
                "executedVersion": "$LATEST",
                "functionError": "Unhandled",
                "statusCode": 200
              },
              "timestamp": "2023-11-14T22:15:00Z",
              "version": "1.0"
            }"#]]
        .assert_eq(&format!("{record:#}"));
    }
}
