//! Files with records of a stream, and what Lambda would have delivered of them.

use std::path::{Path, PathBuf};

use afterimage::Catalog;
use afterimage::record::{DecodeError, decode};
use afterimage_dynamodb::StreamEvent;
use afterimage_local::event_source_mapping::EventSource;
use anyhow::Context as _;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::content::{Content, contents};
use super::json_file;
use super::kind::Kind;
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

/// Reads the event of a file. Records without a source get the one given.
pub fn read_event(
    file: &Path,
    catalog: &Catalog,
    source: Option<&EventSource>,
) -> anyhow::Result<StreamEvent> {
    let name = file.display().to_string();
    let bytes = std::fs::read(file).with_context(|| format!("the file {name} cannot be read"))?;
    let mut records = Vec::new();
    for (index, raw) in raw_records(&name, bytes)?.into_iter().enumerate() {
        let place = || format!("record {} of {name}", index + 1);
        let raw = delivered(raw, source, place)?;
        check_table(catalog, &raw, place)?;
        records.push(raw);
    }
    Ok(StreamEvent { records })
}

/// The records that a file holds, all of them: if it holds anything else, none of it is applied.
fn raw_records(name: &str, bytes: Vec<u8>) -> Result<Vec<Box<RawValue>>, Failure> {
    let values = json_file::values(name, &json_file::text(name, bytes)?)?;
    if values.is_empty() {
        return Err(Failure::new(format!("{name} is empty"), NEXT));
    }
    let contents = contents(values);
    let is_alone = contents.len() == 1;
    let mut records = Vec::new();
    for (index, content) in contents.into_iter().enumerate() {
        let place = || match is_alone {
            true => name.to_owned(),
            false => format!("entry {} of {name}", index + 1),
        };
        match content {
            Content::Record(raw) => records.push(raw),
            Content::OnFailure(message) => records.extend(payload(&place(), name, &message)?),
            Content::Other(kind) => return Err(unusable(&place(), &kind)),
        }
    }
    Ok(records)
}

/// The records that an on-failure record in S3, or of the local stack, holds
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html>).
fn payload(
    place: &str,
    name: &str,
    message: &Map<String, Value>,
) -> Result<Vec<Box<RawValue>>, Failure> {
    let Some(payload) = message.get("payload") else {
        return Err(Failure::new(
            format!("{place} says which batch Lambda gave up, and does not hold its records"),
            format!("`afterimage replay --undelivered {name}` reads them from their stream"),
        ));
    };
    let payload = to_raw_value(payload).map_err(|error| {
        Failure::new(format!("the payload of {place} cannot be read"), NEXT).because(error)
    })?;
    let record = |content| match content {
        Content::Record(raw) => Ok(raw),
        Content::Other(kind) => Err(unusable(&format!("the payload of {place}"), &kind)),
        Content::OnFailure(_) => {
            Err(Failure::new(format!("the payload of {place} is no stream event"), NEXT))
        }
    };
    contents(vec![payload]).into_iter().map(record).collect()
}

const NEXT: &str = "give a file with records of a DynamoDB stream: an event as Lambda delivers it, an answer of GetRecords, a list of records, or an on-failure record with its `payload`; what the on-failure queue holds is read with --undelivered";

fn unusable(place: &str, kind: &Kind) -> Failure {
    let next = match kind {
        Kind::KinesisChange { .. } => {
            "replay the same change from the table's DynamoDB stream, which keeps it for 24 hours; `afterimage verify` names what has drifted without it".to_owned()
        }
        Kind::ObjectInS3 { url } => format!("fetch it with `aws s3 cp {url} batch.json`, and give that file"),
        _ => NEXT.to_owned(),
    };
    Failure::new(format!("{place} is {kind}"), next)
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
