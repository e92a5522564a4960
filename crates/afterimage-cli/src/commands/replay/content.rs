//! What a file holds, out of the envelopes in which queues, topics and functions hand it over.

use afterimage_dynamodb::StreamEvent;
use serde::Deserialize;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};

use super::json_file;
use super::kind::Kind;

/// The most lists, texts and objects around one thing: a notification in a message of a queue in an event has six.
const ENVELOPES_MAX: usize = 16;

/// One thing that a file holds.
#[derive(Debug)]
pub enum Content {
    /// A record of a DynamoDB stream, or what an event has in its place.
    Record(Box<RawValue>),
    /// What Lambda tells of a batch that it gave up.
    OnFailure(Map<String, Value>),
    /// Anything else.
    Other(Kind),
}

/// What values hold, in their order:
///
/// - an event of a DynamoDB stream, an answer of `GetRecords`, a list of records as EventBridge Pipes hands it over, one record;
/// - what Lambda tells of a batch that it gave up;
/// - either of these in messages of a queue (as `aws sqs receive-message` prints them, or as an event of a function), in
///   notifications of a topic (alone, in messages of a queue, or as an event of a function), or in a JSON text;
/// - a list of any of these.
pub fn contents(values: Vec<Box<RawValue>>) -> Vec<Content> {
    let mut contents = Vec::new();
    for value in values {
        open(value, ENVELOPES_MAX, &mut contents);
    }
    contents
}

fn open(raw: Box<RawValue>, envelopes_left: usize, contents: &mut Vec<Content>) {
    let value = match serde_json::from_str(raw.get()) {
        Ok(value) => value,
        Err(error) => return contents.push(Content::Other(Kind::Unreadable(error.to_string()))),
    };
    let Some(left) = envelopes_left.checked_sub(1) else {
        return contents.push(Content::Other(Kind::of(&value)));
    };
    match value {
        Value::Array(_) if Kind::is_pointer_to_s3(&value) => {
            contents.push(Content::Other(Kind::of(&value)));
        }
        Value::Array(_) => open_all(serde_json::from_str(raw.get()), left, contents),
        Value::String(text) => open_text(&text, left, contents),
        Value::Object(object) => open_object(raw, object, left, contents),
        Value::Null | Value::Bool(_) | Value::Number(_) => {
            contents.push(Content::Other(Kind::of(&value)));
        }
    }
}

fn open_all(
    values: serde_json::Result<Vec<Box<RawValue>>>,
    left: usize,
    contents: &mut Vec<Content>,
) {
    match values {
        Ok(values) => values.into_iter().for_each(|value| open(value, left, contents)),
        Err(error) => contents.push(Content::Other(Kind::Unreadable(error.to_string()))),
    }
}

fn open_text(text: &str, left: usize, contents: &mut Vec<Content>) {
    match json_file::values("its text", text) {
        Ok(values) if !values.is_empty() => open_all(Ok(values), left, contents),
        Ok(_) | Err(_) => contents.push(Content::Other(Kind::Text)),
    }
}

/// What `aws sqs receive-message` prints.
#[derive(Deserialize)]
struct Received {
    #[serde(rename = "Messages")]
    messages: Vec<Box<RawValue>>,
}

fn open_object(
    raw: Box<RawValue>,
    object: Map<String, Value>,
    left: usize,
    contents: &mut Vec<Content>,
) {
    if object.get("Records").is_some_and(Value::is_array) {
        return match serde_json::from_str::<StreamEvent>(raw.get()) {
            Ok(event) => event.records.into_iter().for_each(|it| open_record(it, left, contents)),
            Err(error) => contents.push(Content::Other(Kind::Unreadable(error.to_string()))),
        };
    }
    if object.get("Messages").is_some_and(Value::is_array) {
        let received = serde_json::from_str::<Received>(raw.get()).map(|it| it.messages);
        return open_all(received, left, contents);
    }
    if object.contains_key("DDBStreamBatchInfo") || object.contains_key("payload") {
        return contents.push(Content::OnFailure(object));
    }
    if let Some(enclosed) = enclosed(&object) {
        return match to_raw_value(enclosed) {
            Ok(enclosed) => open(enclosed, left, contents),
            Err(error) => contents.push(Content::Other(Kind::Unreadable(error.to_string()))),
        };
    }
    let value = Value::Object(object);
    contents.push(match Kind::of(&value) {
        Kind::StreamRecord => Content::Record(raw),
        kind => Content::Other(kind),
    });
}

/// A record of an event. What is not an object, and an object of no known form that names its stream, is left to the
/// processor, which parks it.
fn open_record(raw: Box<RawValue>, left: usize, contents: &mut Vec<Content>) {
    let value = serde_json::from_str::<Value>(raw.get()).ok().filter(Value::is_object);
    let is_left_to_processor = value.is_none_or(|it| {
        let is_enclosing = it.as_object().is_some_and(|it| enclosed(it).is_some());
        match Kind::of(&it) {
            Kind::StreamRecord => true,
            Kind::Object { .. } => !is_enclosing && it.get("eventSourceARN").is_some(),
            _ => false,
        }
    });
    if is_left_to_processor {
        contents.push(Content::Record(raw));
    } else {
        open(raw, left, contents);
    }
}

/// What an envelope encloses:
/// [a message of a queue](https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html),
/// [a notification of a topic](https://docs.aws.amazon.com/sns/latest/dg/sns-message-and-json-formats.html) or
/// [its record](https://docs.aws.amazon.com/lambda/latest/dg/with-sns.html).
fn enclosed(object: &Map<String, Value>) -> Option<&Value> {
    let is = |name: &str, value: &str| object.get(name).is_some_and(|it| it == value);
    if let Some(body) = object.get("Body") {
        return Some(body);
    }
    if object.contains_key("messageId") || is("eventSource", "aws:sqs") {
        return object.get("body");
    }
    if let Some(notification) = object.get("Sns") {
        return notification.get("Message");
    }
    is("Type", "Notification").then(|| object.get("Message")).flatten()
}

#[cfg(test)]
mod tests;
