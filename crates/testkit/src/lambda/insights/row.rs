//! Rows of fields.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What a function's log stream is called in a log group that it shares
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html>).
pub(super) const LOG_STREAM: &str =
    "2026/01/05/under-test[$LATEST]00000000000000000000000000000000";

/// A row of a result, by field.
pub type Row = BTreeMap<String, Value>;

/// A line's fields as the service finds them in JSON: by dotted names, and beside them `@timestamp` and
/// `@logStream`, which the service has for every line.
pub(super) fn row(line: &Value) -> Row {
    let mut row = Row::from([("@logStream".to_owned(), json!(LOG_STREAM))]);
    flatten(&mut row, "", line);
    if let Some(timestamp) = row.get("timestamp").or_else(|| row.get("time")).cloned() {
        row.insert("@timestamp".to_owned(), timestamp);
    }
    row
}

fn flatten(row: &mut Row, prefix: &str, value: &Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                let dot = if prefix.is_empty() { "" } else { "." };
                flatten(row, &format!("{prefix}{dot}{name}"), value);
            }
        }
        scalar => {
            row.insert(prefix.to_owned(), scalar.clone());
        }
    }
}
