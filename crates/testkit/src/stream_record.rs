//! Records of a table's stream, as Lambda delivers them
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>), made by hand.

use serde_json::{Map, Value, json};

/// The label of a stream where a record is given no other.
pub const STREAM_LABEL: &str = "2026-01-01T00:00:00.000";

/// The ARN of a table's stream.
#[must_use]
pub fn stream_arn(table_name: &str, label: &str) -> String {
    format!("arn:aws:dynamodb:us-east-1:000000000000:table/{table_name}/stream/{label}")
}

/// A record in the making.
#[derive(Debug, Clone)]
pub struct StreamRecord {
    event_name: String,
    event_id: String,
    stream_arn: String,
    /// What happened to the item: `dynamodb`.
    change: Map<String, Value>,
}

impl StreamRecord {
    /// A record of this table, by its real name: `INSERT`, `MODIFY` or `REMOVE`. Records of one item with
    /// greater numbers are newer.
    #[must_use]
    pub fn new(table_name: &str, event_name: &str, number: u64) -> Self {
        let record = Self {
            event_name: event_name.to_owned(),
            event_id: format!("{number:032x}"),
            stream_arn: stream_arn(table_name, STREAM_LABEL),
            change: Map::new(),
        };
        record
            .with("ApproximateCreationDateTime", 1_767_225_600)
            .with("SizeBytes", 100)
            .with("StreamViewType", "NEW_IMAGE")
            .sequence_number(&format!("{number:021}"))
    }

    /// The same, with this sequence number instead of the number's 21 digits.
    #[must_use]
    pub fn sequence_number(self, text: &str) -> Self {
        self.with("SequenceNumber", text)
    }

    /// The same, of this stream.
    #[must_use]
    pub fn stream_arn(mut self, stream_arn: &str) -> Self {
        stream_arn.clone_into(&mut self.stream_arn);
        self
    }

    /// The same, made at this time.
    #[must_use]
    pub fn created_at(self, seconds: u64) -> Self {
        self.with("ApproximateCreationDateTime", seconds)
    }

    /// The same, of this size.
    #[must_use]
    pub fn size_bytes(self, count: usize) -> Self {
        self.with("SizeBytes", count)
    }

    /// The same, with these keys in DynamoDB's JSON.
    #[must_use]
    pub fn keys(self, keys: Value) -> Self {
        self.with("Keys", keys)
    }

    /// The same, with the item after the change; a removal has none.
    #[must_use]
    pub fn image(self, image: Value) -> Self {
        self.with("NewImage", image)
    }

    /// The same, with the item before the change, which only a stream of both images has.
    #[must_use]
    pub fn old_image(self, image: Value) -> Self {
        self.with("OldImage", image).with("StreamViewType", "NEW_AND_OLD_IMAGES")
    }

    /// The same, of this item: with its keys, which have these names, and with its image, but for a
    /// removal.
    #[must_use]
    pub fn item(self, key_names: &[&str], item: &Value) -> Self {
        let key = |name: &&str| Some(((*name).to_owned(), item.get(*name)?.clone()));
        let record = self.keys(key_names.iter().filter_map(key).collect());
        if record.event_name == "REMOVE" { record } else { record.image(item.clone()) }
    }

    /// The record's JSON.
    #[must_use]
    pub fn json(self) -> Value {
        json!({
            "eventID": self.event_id,
            "eventName": self.event_name,
            "eventVersion": "1.1",
            "eventSource": "aws:dynamodb",
            "awsRegion": "us-east-1",
            "dynamodb": self.change,
            "eventSourceARN": self.stream_arn,
        })
    }

    fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.change.insert(name.to_owned(), value.into());
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removal_has_keys_and_no_image() {
        let item = json!({"pk": {"S": "a"}, "sk": {"S": "b"}, "note": {"S": "c"}});
        let change = |event_name: &str| {
            let record = StreamRecord::new("t", event_name, 7).item(&["pk", "sk"], &item);
            record.json()["dynamodb"].clone()
        };
        let keys = json!({"pk": {"S": "a"}, "sk": {"S": "b"}});
        assert_eq!(change("MODIFY")["Keys"], keys);
        assert_eq!(change("MODIFY")["NewImage"], item);
        assert_eq!(change("REMOVE")["Keys"], keys);
        assert_eq!(change("REMOVE").get("NewImage"), None);
        assert_eq!(change("REMOVE")["SequenceNumber"], "000000000000000000007");
    }
}
