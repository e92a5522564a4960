//! Files with records of a stream, and what Lambda would have delivered of them.

use std::path::{Path, PathBuf};

use afterimage::Catalog;
use afterimage::record::{DecodeError, decode};
use afterimage_dynamodb::StreamEvent;
use afterimage_local::event_source_mapping::EventSource;
use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::failure::Failure;

/// The file, or the *.json of the folder in name order.
pub fn event_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let reading = || format!("the folder {} cannot be read", path.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path).with_context(reading)? {
        let file = entry.with_context(reading)?.path();
        if file.extension().is_some_and(|extension| extension == "json") {
            files.push(file);
        }
    }
    files.sort();
    if files.is_empty() {
        let sentence = format!("the folder {} holds no *.json", path.display());
        return Err(Failure::new(sentence, "name a file, or a folder with events").into());
    }
    Ok(files)
}

/// What Lambda writes to an S3 destination, and the local stack to a file, about a batch that it gave up
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>).
#[derive(Deserialize)]
struct OnFailure {
    /// The event, as text.
    payload: String,
}

/// Reads the event of a file. Records without a source get the one given.
pub fn read_event(
    file: &Path,
    catalog: &Catalog,
    source: Option<&EventSource>,
) -> anyhow::Result<StreamEvent> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the file {} cannot be read", file.display()))?;
    let on_failure = serde_json::from_str(&text);
    let event = on_failure.map_or(text, |OnFailure { payload }| payload);
    let event: StreamEvent = serde_json::from_str(&event).map_err(|error| {
        let sentence = format!("{} is no stream event", file.display());
        let next = "give a file of the form {\"Records\": […]}, as Lambda delivers it, or an on-failure record with its `payload`; what the on-failure queue holds is read with --undelivered";
        Failure::new(sentence, next).because(error)
    })?;
    let mut records = Vec::with_capacity(event.records.len());
    for (index, raw) in event.records.into_iter().enumerate() {
        let place = || format!("record {} of {}", index + 1, file.display());
        let raw = delivered(raw, source, place)?;
        check_table(catalog, &raw, place)?;
        records.push(raw);
    }
    Ok(StreamEvent { records })
}

/// The record as Lambda delivers it: an answer of `GetRecords` does not name the source, and AWS tools
/// print its time as text. What is no JSON object is left to the processor, which parks it.
fn delivered(
    raw: Box<RawValue>,
    source: Option<&EventSource>,
    place: impl Fn() -> String,
) -> anyhow::Result<Box<RawValue>> {
    let Ok(Value::Object(mut record)) = serde_json::from_str(raw.get()) else { return Ok(raw) };
    let mut is_changed = false;
    if record.get("eventSourceARN").is_none_or(Value::is_null) {
        let source = source.ok_or_else(|| {
            Failure::new(
                format!("{} has no `eventSourceARN`, which tells its table and stream", place()),
                "give --stream-arn ARN, the stream that the records were read from: an answer of GetRecords does not name it",
            )
        })?;
        record.insert("eventSourceARN".to_owned(), source.arn.as_str().into());
        is_changed = true;
    }
    let change = record.get_mut("dynamodb").and_then(Value::as_object_mut);
    if let Some(created_at) = change.and_then(|it| it.get_mut("ApproximateCreationDateTime"))
        && let Some(created_at_secs) = created_at.as_str().and_then(unix_secs)
    {
        *created_at = created_at_secs.into();
        is_changed = true;
    }
    if is_changed { Ok(to_raw_value(&record)?) } else { Ok(raw) }
}

/// The seconds since 1970 that a text tells, as a number or as ISO 8601 with its offset.
fn unix_secs(text: &str) -> Option<f64> {
    let as_number = text.parse().ok().filter(|secs: &f64| secs.is_finite());
    as_number.or_else(|| {
        let at = OffsetDateTime::parse(text, &Rfc3339).ok()?;
        Some(at.unix_timestamp() as f64)
    })
}

/// Refuses a record of a table that is none of the deployment's: it would be parked, and nobody meant that.
fn check_table(
    catalog: &Catalog,
    raw: &RawValue,
    place: impl Fn() -> String,
) -> Result<(), Failure> {
    let decoded = decode(catalog, None, raw.get());
    match (decoded.record, decoded.table_name) {
        (Err(DecodeError::UnknownTable), Some(table_name)) => {
            Err(foreign_table(&place(), &table_name))
        }
        _ => Ok(()),
    }
}

/// The error where something is about a table of another deployment.
pub fn foreign_table(what: &str, table_name: &str) -> Failure {
    Failure::new(
        format!("{what} is of the table {table_name}, which is none of this deployment's"),
        "declare the table in the views file that --views names, or give its real name there or by its variable, such as ORDERS_TABLE",
    )
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const ARN: &str = "arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026-01-01T00:00:00.000";

    #[track_caller]
    fn check(record: &str, stream_arn: Option<&str>, expected: &Expect) {
        let source = stream_arn.and_then(EventSource::of_stream);
        let raw = RawValue::from_string(record.to_owned()).expect("JSON");
        let delivered = delivered(raw, source.as_ref(), || "record 1 of f".to_owned());
        let found = delivered.map_or_else(|error| error.to_string(), |raw| raw.get().to_owned());
        expected.assert_eq(&found);
    }

    #[test]
    fn the_source_is_filled_in_where_it_is_missing() {
        let filled = expect![[
            r#"{"eventName":"INSERT","eventSourceARN":"arn:aws:dynamodb:eu-west-1:1:table/t/stream/2026-01-01T00:00:00.000"}"#
        ]];
        check(r#"{"eventName":"INSERT"}"#, Some(ARN), &filled);
        check(r#"{"eventName":"INSERT","eventSourceARN":null}"#, Some(ARN), &filled);
        check(
            r#"{"eventName":"INSERT"}"#,
            None,
            &expect!["record 1 of f has no `eventSourceARN`, which tells its table and stream"],
        );
        let own = expect![[r#"{ "eventSourceARN": "arn" }"#]];
        check(r#"{ "eventSourceARN": "arn" }"#, Some(ARN), &own);
        check(r#"{ "eventSourceARN": "arn" }"#, None, &own);
        check("[ ]", None, &expect!["[ ]"]);
    }

    #[test]
    fn the_time_is_a_number() {
        for (time, expected) in [
            ("1767600000", "1767600000"),
            ("1767600000.5", "1767600000.5"),
            (r#""2026-01-05T08:00:00+00:00""#, "1767600000.0"),
            (r#""2026-01-05T10:00:00+02:00""#, "1767600000.0"),
            (r#""1767600000.0""#, "1767600000.0"),
            (r#""yesterday""#, r#""yesterday""#),
            (r#""inf""#, r#""inf""#),
        ] {
            let raw = |time: &str| {
                format!(
                    r#"{{"dynamodb":{{"ApproximateCreationDateTime":{time}}},"eventSourceARN":"a"}}"#
                )
            };
            let record = RawValue::from_string(raw(time)).expect("JSON");
            let found = delivered(record, None, String::new).expect("a record");
            assert_eq!(found.get(), raw(expected));
        }
    }
}
