//! What a JSON value is, in words.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// How many names of an object are said.
const NAMES_SHOWN: usize = 5;

/// What a JSON value is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A record of a DynamoDB stream.
    StreamRecord,
    /// A change as Kinesis Data Streams for DynamoDB delivers it
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/kds.html>).
    KinesisChange {
        /// The table's name.
        table_name: String,
    },
    /// Another record of a Kinesis stream.
    KinesisRecord,
    /// A message about a batch of a Kinesis stream that Lambda gave up.
    KinesisBatch,
    /// What says that something is an object in S3
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html>).
    ObjectInS3 {
        /// Its URL.
        url: String,
    },
    /// What a topic or its subscriber is told of the subscription itself.
    SubscriptionNotice,
    /// An event of EventBridge.
    EventBridgeEvent,
    /// An item of a table that was exported to S3
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/S3DataExport.Output.html>).
    ExportedItem,
    /// Another object.
    Object {
        /// Its names, in order.
        names: Vec<String>,
    },
    /// A list.
    List,
    /// A text that is not JSON.
    Text,
    /// A number.
    Number,
    /// True or false.
    Boolean,
    /// Null.
    Null,
    /// JSON that cannot be read, and why.
    Unreadable(String),
}

impl Kind {
    /// What a value is.
    pub fn of(value: &Value) -> Self {
        if let Some(url) = s3_url(value) {
            return Kind::ObjectInS3 { url };
        }
        match value {
            Value::Object(object) => Kind::of_object(object),
            Value::Array(_) => Kind::List,
            Value::String(_) => Kind::Text,
            Value::Number(_) => Kind::Number,
            Value::Bool(_) => Kind::Boolean,
            Value::Null => Kind::Null,
        }
    }

    /// Whether a list is what Amazon's extended clients send in place of a large message.
    pub fn is_pointer_to_s3(value: &Value) -> bool {
        value.is_array() && s3_url(value).is_some()
    }

    fn of_object(object: &Map<String, Value>) -> Self {
        let has = |name: &str| object.contains_key(name);
        let is = |name: &str, value: &str| object.get(name).is_some_and(|it| it == value);
        if let Some(table_name) = changed_table_of_kinesis(object) {
            return Kind::KinesisChange { table_name };
        }
        if is("eventSource", "aws:kinesis")
            || has("kinesis")
            || (has("Data") && has("PartitionKey"))
        {
            return match changed_table_of_data(object) {
                Some(table_name) => Kind::KinesisChange { table_name },
                None => Kind::KinesisRecord,
            };
        }
        if object.get("dynamodb").is_some_and(Value::is_object) {
            return Kind::StreamRecord;
        }
        if has("KinesisBatchInfo") {
            return Kind::KinesisBatch;
        }
        if is("Type", "SubscriptionConfirmation") || is("Type", "UnsubscribeConfirmation") {
            return Kind::SubscriptionNotice;
        }
        if has("detail-type") {
            return Kind::EventBridgeEvent;
        }
        let is_whole = object.len() == 1 && object.get("Item").is_some_and(Value::is_object);
        if is_whole || (has("Metadata") && has("Keys")) {
            return Kind::ExportedItem;
        }
        Kind::Object { names: object.keys().cloned().collect() }
    }
}

/// The table of a change in the envelope that Kinesis Data Streams for DynamoDB writes. A stream's own records have no
/// `tableName`, and have a sequence number.
fn changed_table_of_kinesis(object: &Map<String, Value>) -> Option<String> {
    let change = object.get("dynamodb")?.as_object()?;
    let table_name = object.get("tableName")?.as_str()?;
    (!change.contains_key("SequenceNumber")).then(|| table_name.to_owned())
}

/// The same for a record of a Kinesis stream, as Lambda delivers it or as `GetRecords` answers it.
fn changed_table_of_data(object: &Map<String, Value>) -> Option<String> {
    let data = object.get("kinesis").and_then(|it| it.get("data")).or(object.get("Data"))?;
    let decoded = STANDARD.decode(data.as_str()?).ok()?;
    let change: Value = serde_json::from_slice(&decoded).ok()?;
    changed_table_of_kinesis(change.as_object()?)
}

/// The URL of the object that a value says: a record of a notification, the detail of an event, or a pointer of the
/// extended clients.
fn s3_url(value: &Value) -> Option<String> {
    let url =
        |bucket: &Value, key: &Value| Some(format!("s3://{}/{}", bucket.as_str()?, key.as_str()?));
    if let Value::Array(list) = value {
        let [Value::String(_), pointer] = list.as_slice() else { return None };
        return url(pointer.get("s3BucketName")?, pointer.get("s3Key")?);
    }
    if let Some(key) = value.get("s3Key") {
        return url(value.get("s3BucketName")?, key);
    }
    let said = match value.get("s3") {
        Some(said) => said,
        None if value.get("source").is_some_and(|it| it == "aws.s3") => value.get("detail")?,
        None => return None,
    };
    url(said.get("bucket")?.get("name")?, said.get("object")?.get("key")?)
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Kind::StreamRecord => formatter.write_str("a record of a DynamoDB stream"),
            Kind::KinesisChange { table_name } => write!(
                formatter,
                "a change of the table {table_name} from Kinesis Data Streams for DynamoDB, which cannot be applied: it has no sequence number of the table's stream, and Kinesis may deliver changes more than once and out of order"
            ),
            Kind::KinesisRecord => formatter.write_str("a record of a Kinesis stream"),
            Kind::KinesisBatch => formatter
                .write_str("a message about a batch of a Kinesis stream that Lambda gave up"),
            Kind::ObjectInS3 { url } => {
                write!(formatter, "only the place of an object in S3, {url}")
            }
            Kind::SubscriptionNotice => {
                formatter.write_str("an SNS message about the subscription itself")
            }
            Kind::EventBridgeEvent => formatter.write_str("an event of EventBridge"),
            Kind::ExportedItem => formatter.write_str(
                "an item of a table export, which has no sequence number of the table's stream",
            ),
            Kind::Object { names } if names.is_empty() => {
                formatter.write_str("an empty JSON object")
            }
            Kind::Object { names } => {
                let shown: Vec<String> =
                    names.iter().take(NAMES_SHOWN).map(|name| format!("`{name}`")).collect();
                let more = if names.len() > NAMES_SHOWN { " and more" } else { "" };
                write!(formatter, "a JSON object with {}{more}", shown.join(", "))
            }
            Kind::List => formatter.write_str("a JSON list"),
            Kind::Text => formatter.write_str("text that is not JSON"),
            Kind::Number => formatter.write_str("a number"),
            Kind::Boolean => formatter.write_str("true or false"),
            Kind::Null => formatter.write_str("null"),
            Kind::Unreadable(reason) => write!(formatter, "JSON that cannot be read ({reason})"),
        }
    }
}
