//! `afterimage parked show`.

use afterimage::parked::ParkedRecord;
use afterimage_dynamodb::ParkedRecords;
use clap::Args;
use serde_json::{Value, json};

use super::records::find;
use crate::failure::{Failure, Status};
use crate::item::on_one_line;
use crate::output::{Format, Output};

/// The arguments of `parked show`.
#[derive(Debug, Args)]
pub struct ShowArguments {
    /// The record's id, as `parked list` prints it
    id: String,
}

/// Prints a parked record with its payload.
pub async fn run(
    parked: &ParkedRecords,
    format: Format,
    arguments: &ShowArguments,
) -> anyhow::Result<Status> {
    let id = &arguments.id;
    let stored = find(parked, id).await?.ok_or_else(|| absent(id))?;
    let record = stored.record.map_err(|error| {
        Failure::new(format!("the record parked as {id} is not whole"), "drop it, if you must")
            .because(error)
    })?;
    let payload: Value = serde_json::from_str(&record.raw_json)?;
    let mut output = Output::new();
    match format {
        Format::Table => {
            for (name, text) in fields(id, &record) {
                output.line(&format!("{name}: {}", on_one_line(text.unwrap_or("-"))))?;
            }
            output.line(&serde_json::to_string_pretty(&payload)?)?;
        }
        Format::Json => {
            let mut document: serde_json::Map<String, Value> = fields(id, &record)
                .into_iter()
                .map(|(name, text)| (name.replace(' ', "_"), json!(text)))
                .collect();
            document.insert("record".to_owned(), payload);
            output.json(&Value::Object(document))?;
        }
    }
    output.finish()?;
    Ok(Status::Done)
}

fn fields<'a>(id: &'a str, record: &'a ParkedRecord) -> [(&'static str, Option<&'a str>); 7] {
    let place = record.place.as_ref();
    [
        ("id", Some(id)),
        ("view", Some(&record.view)),
        ("stream label", place.map(|it| it.stream_label.as_str())),
        ("sequence number", place.map(|it| it.sequence_number.as_str())),
        ("part", record.part.as_deref()),
        ("parked at", Some(&record.parked_at)),
        ("reason", Some(&record.reason)),
    ]
}

fn absent(id: &str) -> Failure {
    Failure::new(
        format!("no record is parked as {id}"),
        "copy an id from `afterimage parked list`, and quote it",
    )
}
