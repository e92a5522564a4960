//! Records as a stream delivers them, as JSON texts.

use std::fmt::Write as _;

use afterimage_schema::Table;
use serde_json::{Map, Value, json};
use testkit::stream_record::StreamRecord;

/// The bytes of one event: the payload of an asynchronous source is 6 MB at most
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
pub const EVENT_BYTES_MAX: usize = 6 * 1024 * 1024;

/// What an event has around its records.
const ENVELOPE: (&str, &str) = ("{\"Records\":[", "]}");

/// A change of an item: its images have text attributes only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceChange {
    /// The table.
    pub table: Table,
    /// Its place in the stream.
    pub number: u64,
    /// The item before, where there was one; a stream of after-images leaves it out, the baseline
    /// needs it.
    pub before: Option<Vec<(&'static str, String)>>,
    /// The item after. The key attributes are the first two.
    pub after: Vec<(&'static str, String)>,
}

impl SourceChange {
    /// The record's JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let (table_name, keys) = (self.table.default_name(), self.after.get(..2));
        let event_name = if self.before.is_some() { "MODIFY" } else { "INSERT" };
        let bytes = self.after.iter().map(|(name, text)| name.len() + text.len()).sum();
        let record = StreamRecord::new(&table_name, event_name, self.number)
            .sequence_number(&format!("{:021}", self.number + 1))
            .created_at(1_767_600_000 + self.number / 1000)
            .size_bytes(bytes)
            .keys(image(keys.unwrap_or_default()))
            .image(image(&self.after));
        let record = match &self.before {
            Some(before) => record.old_image(image(before)),
            None => record,
        };
        record.json().to_string()
    }
}

fn image(attributes: &[(&'static str, String)]) -> Value {
    let typed = attributes.iter().map(|(name, text)| ((*name).to_owned(), json!({ "S": text })));
    Value::Object(typed.collect::<Map<_, _>>())
}

/// The event of these records.
#[must_use]
pub fn event(records: &[String]) -> String {
    format!("{}{}{}", ENVELOPE.0, records.join(","), ENVELOPE.1)
}

/// The event of these changes.
#[must_use]
pub fn event_of(changes: &[SourceChange]) -> String {
    event(&changes.iter().map(SourceChange::to_json).collect::<Vec<_>>())
}

/// The next event of at most this many records and of at most [`EVENT_BYTES_MAX`] bytes, and how many
/// records it has; `None` where none is left.
pub fn next_event(
    records: &mut std::iter::Peekable<impl Iterator<Item = String>>,
    record_count_max: usize,
) -> Option<(String, usize)> {
    let (start, end) = ENVELOPE;
    let mut event = start.to_owned();
    let mut record_count = 0;
    while record_count < record_count_max {
        let has_room =
            |record: &String| event.len() + 1 + record.len() + end.len() <= EVENT_BYTES_MAX;
        let Some(record) = records.next_if(has_room) else { break };
        let comma = if record_count == 0 { "" } else { "," };
        // Writing to a text cannot fail.
        write!(event, "{comma}{record}").ok()?;
        record_count += 1;
    }
    event.push_str(end);
    (record_count > 0).then_some((event, record_count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_filled_up_to_its_bytes() {
        let record = format!("\"{}\"", "a".repeat(1_000_000));
        let mut records = std::iter::repeat_n(record, 8).peekable();
        let mut counts = Vec::new();
        while let Some((event, count)) = next_event(&mut records, 100) {
            assert!(event.len() <= EVENT_BYTES_MAX);
            let event: Value = serde_json::from_str(&event).expect("JSON");
            assert_eq!(event["Records"].as_array().map(Vec::len), Some(count));
            counts.push(count);
        }
        assert_eq!(counts, [6, 2]);
    }

    #[test]
    fn an_event_has_at_most_as_many_records_as_asked() {
        let mut records = std::iter::repeat_n("1".to_owned(), 3).peekable();
        assert_eq!(next_event(&mut records, 2), Some(("{\"Records\":[1,1]}".to_owned(), 2)));
        assert_eq!(next_event(&mut records, 2), Some(("{\"Records\":[1]}".to_owned(), 1)));
        assert_eq!(next_event(&mut records, 2), None);
    }
}
