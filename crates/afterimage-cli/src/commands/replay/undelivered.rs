//! What the on-failure queue tells of batches that Lambda gave up
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>).

use std::path::Path;

use afterimage::version::SequenceNumber;
use afterimage_local::event_source_mapping::EventSource;
use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

use crate::failure::Failure;

/// Where the records of a batch are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Their stream.
    pub source: EventSource,
    /// Their shard.
    pub shard_id: String,
    /// The first of them.
    pub first: SequenceNumber,
    /// The first of them, as the message writes it: a request repeats it.
    pub first_text: String,
    /// The last of them.
    pub last: SequenceNumber,
    /// How many records the batch had. Between its first and its last the stream may hold more: those
    /// that a filter kept back, or that went to another invocation.
    pub record_count: usize,
}

/// A message, by a name that tells it from others.
#[derive(Debug)]
pub struct Message {
    /// The name.
    pub name: String,
    /// The batch that it is about.
    pub batch: anyhow::Result<Batch>,
}

/// The part of a message that says which batch it is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchInfo {
    stream_arn: String,
    shard_id: String,
    start_sequence_number: String,
    end_sequence_number: String,
    batch_size: usize,
}

/// Reads the messages of a file, or of standard input where it is named `-`.
pub async fn read_messages(path: &Path) -> anyhow::Result<Vec<Message>> {
    if path != Path::new("-") {
        let name = path.display().to_string();
        let text = std::fs::read_to_string(path);
        return messages(&name, &text.with_context(|| format!("the file {name} cannot be read"))?);
    }
    // Not on this thread: Ctrl-C ends a wait for a terminal.
    let read = tokio::task::spawn_blocking(|| std::io::read_to_string(std::io::stdin()));
    let text = read.await?.context("standard input cannot be read")?;
    messages("standard input", &text)
}

/// A message's body, a message as `aws sqs receive-message` lists it, or the whole list.
fn messages(name: &str, text: &str) -> anyhow::Result<Vec<Message>> {
    // This is what the AWS command line prints of an empty queue.
    if text.trim().is_empty() {
        return Err(no_message(name).into());
    }
    let json: Value = serde_json::from_str(text).map_err(|error| unknown(name).because(error))?;
    let message = |name: String, json: &Value| {
        let batch = batch(&name, json);
        Message { name, batch }
    };
    match json.get("Messages").and_then(Value::as_array) {
        None => Ok(vec![message(name.to_owned(), &json)]),
        Some(list) if list.is_empty() => Err(no_message(name).into()),
        Some(list) => {
            let name = |index| format!("{name}#{}", index + 1);
            Ok((list.iter().enumerate()).map(|(index, json)| message(name(index), json)).collect())
        }
    }
}

fn batch(name: &str, message: &Value) -> anyhow::Result<Batch> {
    let not_understood = |cause: anyhow::Error| unknown(name).because(cause);
    let read = || -> anyhow::Result<Batch> {
        let body: Option<Value> = match message.get("Body").and_then(Value::as_str) {
            Some(body) => Some(serde_json::from_str(body).context("its `Body` is no JSON")?),
            None => None,
        };
        let info = body.as_ref().unwrap_or(message).get("DDBStreamBatchInfo");
        let info = info.context("it has no `DDBStreamBatchInfo`")?;
        let info = BatchInfo::deserialize(info).context("its `DDBStreamBatchInfo` is none")?;
        let source = EventSource::of_stream(&info.stream_arn);
        Ok(Batch {
            source: source.context("its `streamArn` is not the ARN of a table's stream")?,
            shard_id: info.shard_id,
            first: info.start_sequence_number.parse().context("its `startSequenceNumber`")?,
            first_text: info.start_sequence_number,
            last: info.end_sequence_number.parse().context("its `endSequenceNumber`")?,
            record_count: info.batch_size,
        })
    };
    Ok(read().map_err(not_understood)?)
}

fn unknown(name: &str) -> Failure {
    Failure::new(
        format!("{name} is no message about a batch that Lambda gave up"),
        "give the body of a message of the on-failure queue, or what `aws sqs receive-message` prints",
    )
}

fn no_message(name: &str) -> Failure {
    Failure::new(
        format!("{name} holds no message"),
        "the queue is empty, or hides the messages that were received a moment ago until their visibility timeout ends",
    )
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::json;

    use super::*;

    /// As Lambda writes it.
    fn body() -> Value {
        let file =
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/on-failure/undelivered-batch.json");
        let text = std::fs::read_to_string(file).expect("a file");
        serde_json::from_str(&text).expect("JSON")
    }

    #[track_caller]
    fn check(text: &str, expected: &Expect) {
        let line = |message: Message| match message.batch {
            Ok(batch) => {
                let Batch { source, shard_id, first, last, record_count, .. } = batch;
                let (first, last) = (first.as_str(), last.as_str());
                let table_name = source.table_name;
                format!(
                    "{}: {record_count} of {table_name} {shard_id} {first} to {last}\n",
                    message.name
                )
            }
            Err(error) => format!("{error:#}\n"),
        };
        let found = match messages("m", text) {
            Ok(messages) => messages.into_iter().map(line).collect(),
            Err(error) => format!("{error:#}\n"),
        };
        expected.assert_eq(&found);
    }

    #[test]
    fn a_message_is_taken_in_every_form_that_sqs_gives() {
        let batch = expect![[r#"
            m: 2 of afterimage-albums shardId-00000001573689847184-864758bb 800000000003126276362 to 800000000003126276365
        "#]];
        check(&body().to_string(), &batch);
        let message = json!({ "MessageId": "1", "ReceiptHandle": "r", "Body": body().to_string() });
        check(&message.to_string(), &batch);
        let other = json!({ "MessageId": "2", "Body": "{}" });
        check(
            &json!({ "Messages": [message, other] }).to_string(),
            &expect![[r#"
                m#1: 2 of afterimage-albums shardId-00000001573689847184-864758bb 800000000003126276362 to 800000000003126276365
                m#2 is no message about a batch that Lambda gave up: it has no `DDBStreamBatchInfo`
            "#]],
        );
    }

    #[test]
    fn what_is_no_message_is_said() {
        let with = |name: &str, value: Value| {
            let mut body = body();
            body["DDBStreamBatchInfo"][name] = value;
            body.to_string()
        };
        check("", &expect![["m holds no message\n"]]);
        check(r#"{"Messages": []}"#, &expect![["m holds no message\n"]]);
        check(
            "message",
            &expect![[r#"
            m is no message about a batch that Lambda gave up: expected value at line 1 column 1
        "#]],
        );
        check(
            "[]",
            &expect![[r#"
            m is no message about a batch that Lambda gave up: it has no `DDBStreamBatchInfo`
        "#]],
        );
        check(
            r#"{"Records": []}"#,
            &expect![[r#"
            m is no message about a batch that Lambda gave up: it has no `DDBStreamBatchInfo`
        "#]],
        );
        check(
            r#"{"Body": "hello"}"#,
            &expect![[r#"
            m is no message about a batch that Lambda gave up: its `Body` is no JSON: expected value at line 1 column 1
        "#]],
        );
        check(
            &with("shardId", Value::Null),
            &expect![[r#"
            m is no message about a batch that Lambda gave up: its `DDBStreamBatchInfo` is none: invalid type: null, expected a string
        "#]],
        );
        check(
            &with("streamArn", "arn:aws:kinesis:r:1:stream/s".into()),
            &expect![[r#"
            m is no message about a batch that Lambda gave up: its `streamArn` is not the ARN of a table's stream
        "#]],
        );
        check(
            &with("startSequenceNumber", "first".into()),
            &expect![[r#"
            m is no message about a batch that Lambda gave up: its `startSequenceNumber`: the sequence number is not 1 to 40 decimal digits
        "#]],
        );
    }
}
