//! Records, decoded one by one from the JSON of a stream event.

use afterimage_schema::TableDefinition;
use serde_json::Value;

use crate::attribute_value::{AttributeValueError, Item, item_from_json};
use crate::catalog::{Catalog, TableOfName};
use crate::key::ItemKey;
use crate::limits::{PARTITION_KEY_BYTES_MAX, RECORD_NAME_BYTES_MAX, SORT_KEY_BYTES_MAX};
use crate::version::{StreamLabel, Version, VersionError};

/// What happened to the source item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was put where none was.
    Insert,
    /// It was changed.
    Modify,
    /// It was deleted, by the application or by its time to live.
    Remove,
}

impl Change {
    /// The `eventName` of the stream record.
    #[must_use]
    pub const fn event_name(self) -> &'static str {
        match self {
            Change::Insert => "INSERT",
            Change::Modify => "MODIFY",
            Change::Remove => "REMOVE",
        }
    }
}

/// One change of one source item, or row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The changed item.
    pub key: ItemKey,
    /// Its place among the records of the item.
    pub version: Version,
    /// What happened.
    pub change: Change,
    /// The item after the change, where there is one; an error where the record should hold one and
    /// does not.
    pub image: Result<Option<Item>, DecodeError>,
}

/// Why a record could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The record is no JSON object.
    #[error("the record is not a JSON object")]
    NotAnObject,
    /// A field is missing, or not of its type.
    #[error("the record has no `{field}` of its type")]
    Field {
        /// The field's path.
        field: &'static str,
    },
    /// The event is none that a stream has.
    #[error("`eventName` is none of INSERT, MODIFY and REMOVE")]
    EventName,
    /// `eventSourceARN` names no stream of a table.
    #[error("`eventSourceARN` is not the ARN of a table's stream")]
    StreamArn,
    /// The table is not one of the deployment's.
    #[error("no views file declares the table that the record comes from")]
    UnknownTable,
    /// The table is of a registered view whose definition cannot be used: the record has to come again.
    #[error("the definition of a view that reads the table cannot be used")]
    UnreadableView,
    /// The stream is in another Region. A replica of a global table has every change in its own stream, under
    /// other versions.
    #[error(
        "the record is of a stream in the Region `{found}`, and the registry is of `{registered}`: a replica of a global table has the same changes in its own stream, and only one of the two counts"
    )]
    Region {
        /// The Region of the stream.
        found: String,
        /// The Region of the registry.
        registered: String,
    },
    /// The stream's label lies in the future: the record would outdo every real one of its item.
    #[error(
        "the stream label is more than a day ahead of the clock: such a record would outdo every real one of its item"
    )]
    FutureLabel,
    /// The table is the deployment's, and no view reads it: there is nothing to do with the record.
    #[error("no view reads the table that the record comes from")]
    UnreadTable,
    /// The version cannot be told.
    #[error("the record's place in its stream cannot be told")]
    Version(#[source] VersionError),
    /// The keys are no item.
    #[error("`dynamodb.Keys` is not an item")]
    KeysValue(#[source] AttributeValueError),
    /// The keys are not those of the table.
    #[error("`dynamodb.Keys` are not the key attributes of the table")]
    Keys,
    /// A key is of a length that no item's key has.
    #[error("`dynamodb.Keys` has a key of {byte_count} bytes; 1 to {byte_count_max} are possible")]
    KeyLength {
        /// Bytes of the key.
        byte_count: usize,
        /// Bytes that a key at its place may have.
        byte_count_max: usize,
    },
    /// The stream does not carry after-images.
    #[error(
        "the record has no `dynamodb.NewImage`: the stream's view type must be NEW_IMAGE or NEW_AND_OLD_IMAGES"
    )]
    NoImage,
    /// The image is not an item.
    #[error("`dynamodb.NewImage` is not an item")]
    Image(#[source] AttributeValueError),
    /// The image is another item's.
    #[error("`dynamodb.NewImage` has other keys than `dynamodb.Keys`")]
    ImageKeys,
}

/// What a record's JSON tells, as far as it could be read. A text longer than any that a stream has is
/// left out: it goes into keys, logs and responses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decoded {
    /// `eventName`, as it stands.
    pub event_name: Option<String>,
    /// The table's real name, from `eventSourceARN`.
    pub table_name: Option<String>,
    /// The stream's label, from `eventSourceARN`.
    pub stream_label: Option<String>,
    /// `dynamodb.SequenceNumber`, as it stands.
    pub sequence_number: Option<String>,
    /// `dynamodb.ApproximateCreationDateTime` in milliseconds since 1970; DynamoDB gives whole seconds.
    /// It tells how late a record is, and orders nothing.
    pub created_at_ms: Option<i64>,
    /// The record; an error where it cannot even be told which change of which item it is.
    pub record: Result<Record, DecodeError>,
}

/// Decodes one record of a stream event. What is wrong with a record is part of the answer: it
/// never fails the batch. A stream label beyond `label_max` is refused; `None` lets any pass.
#[must_use]
pub fn decode(catalog: &Catalog, label_max: Option<&StreamLabel>, raw_json: &str) -> Decoded {
    let mut json: Value = serde_json::from_str(raw_json).unwrap_or(Value::Null);
    let text = |pointer| {
        let text = json.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        text.filter(|text| text.len() <= RECORD_NAME_BYTES_MAX)
    };
    let arn = text("/eventSourceARN");
    let stream = arn.as_deref().and_then(stream_of_arn);
    Decoded {
        event_name: text("/eventName"),
        table_name: stream.map(|it| it.table_name.to_owned()),
        stream_label: stream.map(|it| it.label.to_owned()),
        sequence_number: text("/dynamodb/SequenceNumber"),
        created_at_ms: created_at_ms(&json),
        record: decode_record(catalog, label_max, &mut json, stream),
    }
}

fn created_at_ms(json: &Value) -> Option<i64> {
    let created_at_secs = json.pointer("/dynamodb/ApproximateCreationDateTime")?.as_f64()?;
    // Some 30,000 years: far from where a number of milliseconds is not exact any more.
    (created_at_secs.abs() < 1e12).then_some((created_at_secs * 1000.0).round() as i64)
}

fn decode_record(
    catalog: &Catalog,
    label_max: Option<&StreamLabel>,
    json: &mut Value,
    stream: Option<Stream<'_>>,
) -> Result<Record, DecodeError> {
    json.as_object().ok_or(DecodeError::NotAnObject)?;
    let text = |pointer, field| {
        json.pointer(pointer).and_then(Value::as_str).ok_or(DecodeError::Field { field })
    };
    let change = match text("/eventName", "eventName")? {
        "INSERT" => Change::Insert,
        "MODIFY" => Change::Modify,
        "REMOVE" => Change::Remove,
        _ => return Err(DecodeError::EventName),
    };
    text("/eventSourceARN", "eventSourceARN")?;
    let stream = stream.ok_or(DecodeError::StreamArn)?;
    let definition = match catalog.of_name(stream.table_name) {
        TableOfName::Read(definition) => definition,
        TableOfName::Unread => return Err(DecodeError::UnreadTable),
        TableOfName::Unreadable => return Err(DecodeError::UnreadableView),
        TableOfName::Unknown => return Err(DecodeError::UnknownTable),
    };
    if let Some(registered) = catalog.region().filter(|it| *it != stream.region) {
        let (found, registered) = (stream.region.to_owned(), registered.to_owned());
        return Err(DecodeError::Region { found, registered });
    }
    let sequence_number = text("/dynamodb/SequenceNumber", "dynamodb.SequenceNumber")?;
    let version = Version {
        stream_label: stream.label.parse().map_err(DecodeError::Version)?,
        sequence_number: sequence_number.parse().map_err(DecodeError::Version)?,
    };
    if label_max.is_some_and(|max| version.stream_label > *max) {
        return Err(DecodeError::FutureLabel);
    }
    let keys_json = json.pointer_mut("/dynamodb/Keys").map(Value::take);
    let keys_json = keys_json.ok_or(DecodeError::Field { field: "dynamodb.Keys" })?;
    let keys = item_from_json("Keys", keys_json).map_err(DecodeError::KeysValue)?;
    let key_count = 1 + usize::from(definition.sort_key.is_some());
    let key = ItemKey::of_item(definition, &keys)
        .filter(|_| keys.len() == key_count)
        .ok_or(DecodeError::Keys)?;
    check_key_length(&key)?;
    let image = match change {
        Change::Remove => Ok(None),
        Change::Insert | Change::Modify => decode_image(definition, &key, json).map(Some),
    };
    Ok(Record { key, version, change, image })
}

/// A key that DynamoDB refuses must not be asked for: the reads of a whole batch go out together.
fn check_key_length(key: &ItemKey) -> Result<(), DecodeError> {
    let partition = (key.partition.byte_count(), PARTITION_KEY_BYTES_MAX);
    let sort = key.sort.as_ref().map(|sort| (sort.byte_count(), SORT_KEY_BYTES_MAX));
    for (byte_count, byte_count_max) in std::iter::once(partition).chain(sort) {
        if !(1..=byte_count_max).contains(&byte_count) {
            return Err(DecodeError::KeyLength { byte_count, byte_count_max });
        }
    }
    Ok(())
}

fn decode_image(
    definition: &TableDefinition,
    key: &ItemKey,
    json: &mut Value,
) -> Result<Item, DecodeError> {
    let image_json = json.pointer_mut("/dynamodb/NewImage").map(Value::take);
    let image_json = image_json.ok_or(DecodeError::NoImage)?;
    let image = item_from_json("NewImage", image_json).map_err(DecodeError::Image)?;
    if ItemKey::of_item(definition, &image).as_ref() != Some(key) {
        return Err(DecodeError::ImageKeys);
    }
    Ok(image)
}

/// A stream, as its ARN names it.
#[derive(Clone, Copy)]
struct Stream<'a> {
    region: &'a str,
    table_name: &'a str,
    label: &'a str,
}

/// The parts of `arn:aws:dynamodb:<region>:<account>:table/<name>/stream/<label>`.
fn stream_of_arn(arn: &str) -> Option<Stream<'_>> {
    let mut parts = arn.splitn(6, ':');
    let is_dynamodb = parts.next() == Some("arn") && parts.nth(1) == Some("dynamodb");
    let region = parts.next().filter(|_| is_dynamodb)?;
    let resource = parts.nth(1)?;
    let (table_name, label) = resource.strip_prefix("table/")?.split_once("/stream/")?;
    Some(Stream { region, table_name, label })
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use testkit::stream_record::StreamRecord;

    use super::*;
    use crate::catalog::tests::{catalog, orders};

    fn base() -> Value {
        let item = json!({
            "customer": {"S": "ada"}, "number": {"S": "order 7"}, "Year": {"N": "1980"},
        });
        let record = StreamRecord::new("afterimage-orders", "INSERT", 1);
        let record = record.sequence_number("100000000000000000001");
        record.item(&["customer", "number"], &item).json()
    }

    /// The base record with one place changed, or removed where the new value is null.
    fn with(pointer: &str, value: Value) -> String {
        let mut json = base();
        let (parent, field) = pointer.rsplit_once('/').expect("a pointer");
        let parent = json.pointer_mut(parent).and_then(Value::as_object_mut).expect("a parent");
        match value {
            Value::Null => parent.remove(field),
            value => parent.insert(field.to_owned(), value),
        };
        json.to_string()
    }

    #[track_caller]
    fn check_error(raw_json: &str, expected: &str) {
        let decoded = decode(&catalog(), None, raw_json);
        let error = decoded.record.and_then(|record| record.image).expect_err("must be refused");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_good_record_is_decoded_whole() {
        let decoded = decode(&catalog(), None, &base().to_string());
        assert_eq!(decoded.table_name.as_deref(), Some("afterimage-orders"));
        assert_eq!(decoded.sequence_number.as_deref(), Some("100000000000000000001"));
        assert_eq!(decoded.created_at_ms, Some(1_767_225_600_000));
        let record = decoded.record.expect("decodes");
        assert_eq!(record.key, ItemKey::strings(orders().table, "ada", "order 7"));
        assert_eq!(record.image.expect("an image").map(|image| image.len()), Some(3));
    }

    #[test]
    fn the_time_of_a_record_is_whole_seconds() {
        let created_at_ms = |value| {
            let json = with("/dynamodb/ApproximateCreationDateTime", value);
            decode(&catalog(), None, &json).created_at_ms
        };
        assert_eq!(created_at_ms(json!(1_767_600_600)), Some(1_767_600_600_000));
        assert_eq!(created_at_ms(json!(1.767_600_600_5e9)), Some(1_767_600_600_500));
        assert_eq!(created_at_ms(json!(i64::MAX)), None);
        assert_eq!(created_at_ms(json!("yesterday")), None);
        assert_eq!(created_at_ms(Value::Null), None, "it may be absent");
    }

    #[test]
    fn a_removal_needs_no_image() {
        let decoded = decode(&catalog(), None, &with("/eventName", json!("REMOVE")));
        assert_eq!(decoded.record.expect("decodes").image, Ok(None));
    }

    #[test]
    fn a_text_longer_than_any_is_left_out() {
        let long = "7".repeat(RECORD_NAME_BYTES_MAX + 1);
        let decoded = decode(&catalog(), None, &with("/dynamodb/SequenceNumber", json!(long)));
        assert_eq!(decoded.sequence_number, None);
        assert!(decoded.record.is_err());
        assert_eq!(decode(&catalog(), None, &with("/eventName", json!(long))).event_name, None);
        let arn = format!("arn:aws:dynamodb:eu-west-1:1:table/{long}/stream/{long}");
        assert_eq!(
            decode(&catalog(), None, &with("/eventSourceARN", json!(arn))).stream_label,
            None
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        check_error("{", "the record is not a JSON object");
        check_error("[]", "the record is not a JSON object");
        check_error(
            &with("/eventName", json!("UPSERT")),
            "`eventName` is none of INSERT, MODIFY and REMOVE",
        );
        check_error(&with("/eventName", Value::Null), "the record has no `eventName` of its type");
        check_error(
            &with("/eventSourceARN", json!("arn:aws:sqs:eu-west-1:1:q")),
            "`eventSourceARN` is not the ARN of a table's stream",
        );
        check_error(
            &with(
                "/eventSourceARN",
                json!("arn:aws:dynamodb:eu-west-1:1:table/other/stream/2026-01-01T00:00:00"),
            ),
            "no views file declares the table that the record comes from",
        );
        check_error(
            &with(
                "/eventSourceARN",
                json!(
                    "arn:aws:dynamodb:eu-west-1:1:table/afterimage-returns/stream/2026-01-01T00:00:00"
                ),
            ),
            "no view reads the table that the record comes from",
        );
        check_error(
            &with("/dynamodb/SequenceNumber", Value::Null),
            "the record has no `dynamodb.SequenceNumber` of its type",
        );
        check_error(
            &with("/dynamodb/SequenceNumber", json!("x1")),
            "the record's place in its stream cannot be told",
        );
        check_error(
            &with("/dynamodb/Keys", json!({"customer": {"S": "x"}})),
            "`dynamodb.Keys` are not the key attributes of the table",
        );
        check_error(
            &with("/dynamodb/Keys", json!({"customer": "x"})),
            "`dynamodb.Keys` is not an item",
        );
        check_error(
            &with("/dynamodb/Keys", json!({"customer": {"S": ""}, "number": {"S": "x"}})),
            "`dynamodb.Keys` has a key of 0 bytes; 1 to 2048 are possible",
        );
        check_error(
            &with(
                "/dynamodb/Keys",
                json!({"customer": {"S": "x"}, "number": {"S": "é".repeat(513)}}),
            ),
            "`dynamodb.Keys` has a key of 1026 bytes; 1 to 1024 are possible",
        );
        check_error(
            &with("/dynamodb/NewImage", Value::Null),
            "the record has no `dynamodb.NewImage`: the stream's view type must be NEW_IMAGE or NEW_AND_OLD_IMAGES",
        );
        check_error(
            &with("/dynamodb/NewImage", json!({"customer": {"S": 5}})),
            "`dynamodb.NewImage` is not an item",
        );
        check_error(
            &with("/dynamodb/NewImage", json!({"customer": {"S": "x"}, "number": {"S": "y"}})),
            "`dynamodb.NewImage` has other keys than `dynamodb.Keys`",
        );
    }
}
