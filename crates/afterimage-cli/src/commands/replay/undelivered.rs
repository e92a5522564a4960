//! What the on-failure queue tells of batches that Lambda gave up
//! (<https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>).

use std::io::Read as _;
use std::path::Path;

use afterimage::version::SequenceNumber;
use afterimage_local::event_source_mapping::EventSource;
use anyhow::Context as _;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::content::{Content, contents};
use super::json_file;
use super::kind::Kind;
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

/// Reads the messages of a file, or of standard input if it is named `-`.
pub async fn read_messages(path: &Path) -> anyhow::Result<Vec<Message>> {
    if path != Path::new("-") {
        let name = path.display().to_string();
        let bytes = std::fs::read(path);
        return messages(&name, bytes.with_context(|| format!("the file {name} cannot be read"))?);
    }
    // Not on this thread: Ctrl-C ends a wait for a terminal.
    let read = tokio::task::spawn_blocking(|| {
        let mut bytes = Vec::new();
        std::io::stdin().read_to_end(&mut bytes).map(|_| bytes)
    });
    let bytes = read.await?.context("standard input cannot be read")?;
    messages("standard input", bytes)
}

/// The messages in a text, in whatever envelopes.
fn messages(name: &str, bytes: Vec<u8>) -> anyhow::Result<Vec<Message>> {
    let values = json_file::values(name, &json_file::text(name, bytes)?)?;
    let contents = contents(values);
    // The AWS command line prints nothing of an empty queue.
    if contents.is_empty() {
        return Err(no_message(name).into());
    }
    if contents.iter().all(|it| matches!(it, Content::Record(_))) {
        return Err(records(name, name).into());
    }
    let is_alone = contents.len() == 1;
    let message = |(index, content)| {
        let place = match is_alone {
            true => name.to_owned(),
            false => format!("{name}#{}", index + 1),
        };
        let batch = match content {
            Content::OnFailure(message) => batch(&place, name, message),
            Content::Record(_) => Err(records(&place, name)),
            Content::Other(kind) => Err(unusable(&place, &kind)),
        };
        Message { name: place, batch: batch.map_err(anyhow::Error::from) }
    };
    Ok(contents.into_iter().enumerate().map(message).collect())
}

fn batch(place: &str, name: &str, mut message: Map<String, Value>) -> Result<Batch, Failure> {
    let Some(info) = message.remove("DDBStreamBatchInfo") else {
        return Err(Failure::new(
            format!(
                "{place} has a `payload`, and no `DDBStreamBatchInfo` that says where its records are"
            ),
            format!("`afterimage replay {name}` applies the records of the payload"),
        ));
    };
    let read = || -> anyhow::Result<Batch> {
        let info = BatchInfo::deserialize(info).context("its `DDBStreamBatchInfo`")?;
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
    read().map_err(|cause| {
        let sentence = format!("{place} does not say which batch Lambda gave up");
        Failure::new(sentence, NEXT).because(cause)
    })
}

const NEXT: &str =
    "give a message of the on-failure queue or topic, or what `aws sqs receive-message` prints";

fn unusable(place: &str, kind: &Kind) -> Failure {
    let next = match kind {
        Kind::ObjectInS3 { url } => format!(
            "fetch it with `aws s3 cp {url} batch.json`; `afterimage replay batch.json` applies the records that it holds"
        ),
        _ => NEXT.to_owned(),
    };
    let sentence = format!("{place} is no message about a batch of a DynamoDB stream, but {kind}");
    Failure::new(sentence, next)
}

fn records(place: &str, name: &str) -> Failure {
    Failure::new(
        format!("{place} holds records of a stream themselves"),
        format!("`afterimage replay {name}` applies them"),
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

    /// A line for each message.
    fn found(text: &str) -> String {
        let line = |message: Message| match message.batch {
            Ok(batch) => {
                let Batch { source, shard_id, first, last, record_count, .. } = batch;
                let (first, last) = (first.as_str(), last.as_str());
                let (name, table_name) = (message.name, source.table_name);
                format!("{name}: {record_count} of {table_name} {shard_id} {first} to {last}\n")
            }
            Err(error) => format!("{error:#}\n"),
        };
        match messages("m", text.as_bytes().to_vec()) {
            Ok(messages) => messages.into_iter().map(line).collect(),
            Err(error) => format!("{error:#}\n"),
        }
    }

    #[track_caller]
    fn check(text: &str, expected: &Expect) {
        expected.assert_eq(&found(text));
    }

    /// As a topic sends it.
    fn notification(message: &str) -> Value {
        json!({
            "Type": "Notification",
            "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324",
            "TopicArn": "arn:aws:sns:eu-west-1:123456789012:given-up",
            "Message": message,
            "Timestamp": "2026-01-05T08:13:50.000Z",
        })
    }

    /// As `aws sqs receive-message` prints it.
    fn received(body: &str) -> Value {
        json!({ "MessageId": "1", "ReceiptHandle": "r", "Body": body })
    }

    /// As a function on the queue gets it.
    fn queued(body: &str) -> Value {
        json!({ "messageId": "1", "receiptHandle": "r", "body": body, "eventSource": "aws:sqs" })
    }

    /// As a function on the topic gets it.
    fn published(message: &str) -> Value {
        json!({ "EventSource": "aws:sns", "EventVersion": "1.0", "Sns": notification(message) })
    }

    #[test]
    fn a_message_is_taken_in_every_envelope() {
        let batch = expect![[r#"
            m: 2 of afterimage-albums shardId-00000001573689847184-864758bb 800000000003126276362 to 800000000003126276365
        "#]];
        let body = body();
        let text = body.to_string();
        let mut in_s3 = body.clone();
        in_s3["payload"] = r#"{"Records":[]}"#.into();
        let notified = notification(&text).to_string();
        for form in [
            body.clone(),
            in_s3,
            json!(text),
            json!([body]),
            received(&text),
            json!({ "Messages": [received(&text)] }),
            json!({ "Messages": [received(&notified)] }),
            json!([text]),
            notification(&text),
            queued(&text),
            json!({ "Records": [queued(&text)] }),
            json!({ "Records": [queued(&notified)] }),
            json!({ "Records": [published(&text)] }),
        ] {
            check(&form.to_string(), &batch);
            check(&format!("\u{feff}{form:#}\r\n"), &batch);
        }
    }

    #[test]
    fn several_messages_are_taken_each() {
        let batches = expect![[r#"
            m#1: 2 of afterimage-albums shardId-00000001573689847184-864758bb 800000000003126276362 to 800000000003126276365
            m#2: 2 of afterimage-albums shardId-00000001573689847184-864758bb 800000000003126276362 to 800000000003126276365
        "#]];
        let body = body();
        let text = body.to_string();
        check(&format!("{text}\n{text}\n"), &batches);
        check(&format!("{body:#}\n\n{body:#}"), &batches);
        check(&json!([body, body]).to_string(), &batches);
        check(&json!([text, text]).to_string(), &batches);
        check(&json!({ "Messages": [received(&text), received(&text)] }).to_string(), &batches);
        check(&json!({ "Records": [queued(&text), queued(&text)] }).to_string(), &batches);
        let answers = json!({ "Messages": [received(&text)] });
        check(&format!("{answers}{answers}"), &batches);
        check(
            &json!({ "Messages": [received("{}"), received(&text)] }).to_string(),
            &expect![[r#"
                m#1 is no message about a batch of a DynamoDB stream, but an empty JSON object
                m#2: 2 of afterimage-albums shardId-00000001573689847184-864758bb 800000000003126276362 to 800000000003126276365
            "#]],
        );
    }

    #[test]
    fn what_is_no_message_is_named_for_what_it_is() {
        let with = |name: &str, value: Value| {
            let mut body = body();
            body["DDBStreamBatchInfo"][name] = value;
            body.to_string()
        };
        let record = json!({ "eventName": "INSERT", "dynamodb": {}, "eventSourceARN": "arn" });
        let object = json!({ "eventSource": "aws:s3", "s3": { "bucket": { "name": "b" }, "object": { "key": "aws/lambda/k" } } });
        let pointer = json!(["software.amazon.payloadoffloading.PayloadS3Pointer", { "s3BucketName": "b", "s3Key": "k" }]);
        let in_queue = |body: &Value| json!({ "Records": [queued(&body.to_string())] });
        let texts = [
            String::new(),
            r#"{"Messages": []}"#.to_owned(),
            "[]".to_owned(),
            "message".to_owned(),
            "{}\n{}\nmessage".to_owned(),
            "null".to_owned(),
            r#"{"Body": "hello"}"#.to_owned(),
            json!({ "Records": [record, record] }).to_string(),
            json!([body(), record]).to_string(),
            json!({ "payload": "{}" }).to_string(),
            in_queue(&json!({ "Records": [object] })).to_string(),
            received(&pointer.to_string()).to_string(),
            json!({ "KinesisBatchInfo": {} }).to_string(),
            json!({ "Type": "SubscriptionConfirmation", "Message": "…" }).to_string(),
            with("shardId", Value::Null),
            with("streamArn", "arn:aws:kinesis:r:1:stream/s".into()),
            with("startSequenceNumber", "first".into()),
        ];
        expect![[r#"
            m holds no message
            m holds no message
            m holds no message
            m is not JSON at line 1: expected value at line 1 column 1
            m is not JSON at line 3: expected value at line 3 column 1
            m is no message about a batch of a DynamoDB stream, but null
            m is no message about a batch of a DynamoDB stream, but text that is not JSON
            m holds records of a stream themselves
            m#1: 2 of afterimage-albums shardId-00000001573689847184-864758bb 800000000003126276362 to 800000000003126276365
            m#2 holds records of a stream themselves
            m has a `payload`, and no `DDBStreamBatchInfo` that says where its records are
            m is no message about a batch of a DynamoDB stream, but only the place of an object in S3, s3://b/aws/lambda/k
            m is no message about a batch of a DynamoDB stream, but only the place of an object in S3, s3://b/k
            m is no message about a batch of a DynamoDB stream, but a message about a batch of a Kinesis stream that Lambda gave up
            m is no message about a batch of a DynamoDB stream, but an SNS message about the subscription itself
            m does not say which batch Lambda gave up: its `DDBStreamBatchInfo`: invalid type: null, expected a string
            m does not say which batch Lambda gave up: its `streamArn` is not the ARN of a table's stream
            m does not say which batch Lambda gave up: its `startSequenceNumber`: the sequence number is not 1 to 40 decimal digits
        "#]].assert_eq(&texts.map(|text| found(&text)).concat());
    }
}
