//! A stream record as the function gets it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>).

use std::cmp::Ordering;
use std::collections::HashMap;
use std::fmt;

use aws_sdk_dynamodbstreams::types::{AttributeValue, Record as RawRecord};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::source::EventSource;

/// A sequence number: ordered as the integer that it writes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SequenceNumber(String);

impl SequenceNumber {
    /// A sequence number as the stream gives it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// As the stream gives it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Ord for SequenceNumber {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for SequenceNumber {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// A record on its way to the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    /// Its place in the shard.
    pub sequence_number: SequenceNumber,
    /// When it was made, in seconds since the epoch, where the stream tells.
    pub created_at_secs: Option<i64>,
    /// The keys of its item: equal for records of one item.
    pub item_key: String,
    /// The record as JSON text.
    pub json: String,
}

/// A record of the stream that cannot be delivered at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a record of the stream has no {missing}")]
pub struct IncompleteRecord {
    missing: &'static str,
}

/// The record as the function gets it: the mapping adds the source's ARN and Region.
#[must_use]
pub fn event_json(raw: &RawRecord, source: &EventSource) -> Value {
    let mut event = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            event.insert(key.to_owned(), value);
        }
    };
    put("eventID", raw.event_id().map(Value::from));
    put("eventName", raw.event_name().map(|name| name.as_str().into()));
    put("eventVersion", raw.event_version().map(Value::from));
    put("eventSource", raw.event_source().map(Value::from));
    put("awsRegion", Some(source.region.as_str().into()));
    put("eventSourceARN", Some(source.arn.as_str().into()));
    put(
        "userIdentity",
        raw.user_identity()
            .map(|who| json!({ "type": who.r#type(), "principalId": who.principal_id() })),
    );
    let mut change = Map::new();
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            change.insert(key.to_owned(), value);
        }
    };
    if let Some(raw) = raw.dynamodb() {
        put("ApproximateCreationDateTime", created_at_secs(raw).map(Value::from));
        put("Keys", raw.keys().map(item_json));
        put("NewImage", raw.new_image().map(item_json));
        put("OldImage", raw.old_image().map(item_json));
        put("SequenceNumber", raw.sequence_number().map(Value::from));
        put("SizeBytes", raw.size_bytes().map(Value::from));
        put("StreamViewType", raw.stream_view_type().map(|kind| kind.as_str().into()));
    }
    put_change(event, change)
}

fn put_change(mut event: Map<String, Value>, change: Map<String, Value>) -> Value {
    event.insert("dynamodb".to_owned(), Value::Object(change));
    Value::Object(event)
}

fn created_at_secs(raw: &aws_sdk_dynamodbstreams::types::StreamRecord) -> Option<i64> {
    raw.approximate_creation_date_time().map(aws_sdk_dynamodbstreams::primitives::DateTime::secs)
}

fn item_json(item: &HashMap<String, AttributeValue>) -> Value {
    Value::Object(item.iter().map(|(name, value)| (name.clone(), attribute_json(value))).collect())
}

fn attribute_json(value: &AttributeValue) -> Value {
    let base64 = |bytes: &[u8]| BASE64_STANDARD.encode(bytes);
    match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::Bool(value) => json!({ "BOOL": value }),
        AttributeValue::Null(value) => json!({ "NULL": value }),
        AttributeValue::B(blob) => json!({ "B": base64(blob.as_ref()) }),
        AttributeValue::Ss(texts) => json!({ "SS": texts }),
        AttributeValue::Ns(numbers) => json!({ "NS": numbers }),
        AttributeValue::Bs(blobs) => {
            json!({ "BS": blobs.iter().map(|blob| base64(blob.as_ref())).collect::<Vec<_>>() })
        }
        AttributeValue::L(values) => {
            json!({ "L": values.iter().map(attribute_json).collect::<Vec<_>>() })
        }
        AttributeValue::M(values) => json!({ "M": item_json(values) }),
        // A type that this SDK does not know: the function parks such a record.
        _ => json!({ "UNKNOWN": true }),
    }
}

impl Record {
    /// A record, with its JSON.
    ///
    /// # Errors
    /// [`IncompleteRecord`] without a sequence number, which every record of a stream has.
    pub(super) fn new(raw: &RawRecord, json: &Value) -> Result<Self, IncompleteRecord> {
        let change = raw.dynamodb().ok_or(IncompleteRecord { missing: "change" })?;
        let sequence_number =
            change.sequence_number().ok_or(IncompleteRecord { missing: "sequence number" })?;
        Ok(Self {
            sequence_number: SequenceNumber::new(sequence_number),
            created_at_secs: created_at_secs(change),
            item_key: change.keys().map(item_json).unwrap_or_default().to_string(),
            json: json.to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequence_numbers_compare_as_integers() {
        let number = SequenceNumber::new;
        assert!(number("9") < number("10"));
        assert!(number("100000000000000000001") < number("100000000000000000002"));
    }

    #[test]
    fn every_attribute_type_has_its_json() {
        let blob = || aws_sdk_dynamodbstreams::primitives::Blob::new([1, 2]);
        let value = AttributeValue::L(vec![
            AttributeValue::S("a".to_owned()),
            AttributeValue::N("1.50".to_owned()),
            AttributeValue::Bool(true),
            AttributeValue::Null(true),
            AttributeValue::B(blob()),
            AttributeValue::Ss(vec!["b".to_owned()]),
            AttributeValue::Ns(vec!["2".to_owned()]),
            AttributeValue::Bs(vec![blob()]),
            AttributeValue::M(HashMap::from([("k".to_owned(), AttributeValue::N("3".to_owned()))])),
        ]);
        assert_eq!(
            attribute_json(&value),
            json!({ "L": [
                { "S": "a" }, { "N": "1.50" }, { "BOOL": true }, { "NULL": true }, { "B": "AQI=" },
                { "SS": ["b"] }, { "NS": ["2"] }, { "BS": ["AQI="] }, { "M": { "k": { "N": "3" } } },
            ] })
        );
    }
}
