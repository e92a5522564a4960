//! `afterimage parked retry`.

use std::time::Duration;

use afterimage::Outcome;
use afterimage::reason;
use afterimage_dynamodb::{ParkedRecords, Processor, Removed};
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::records::{find, summaries};
use crate::connection::Connection;
use crate::failure::Status;
use crate::item::on_one_line;
use crate::output::{Format, Output};
use crate::progress;

/// How long one record may take.
const RECORD_TIME_MAX: Duration = Duration::from_secs(60);

/// The arguments of `parked retry`.
#[derive(Debug, Args)]
pub struct RetryArguments {
    /// Ids of records, as `parked list` prints them
    #[arg(value_name = "ID", required_unless_present_any = ["all", "view"])]
    ids: Vec<String>,
    /// Every parked record
    #[arg(long, conflicts_with_all = ["ids", "view"])]
    all: bool,
    /// What this view parked; `-` for records that no view reads
    #[arg(long, conflicts_with = "ids", allow_hyphen_values = true)]
    view: Option<String>,
}

/// What became of one parked record.
struct Line {
    id: String,
    outcomes: Vec<(String, Outcome)>,
    is_removed: bool,
    note: Option<String>,
}

impl Line {
    fn stayed(id: &str, note: impl Into<String>) -> Self {
        Self { id: id.to_owned(), outcomes: Vec::new(), is_removed: false, note: Some(note.into()) }
    }

    /// Whether its effect is where it belongs.
    fn is_done(&self) -> bool {
        let is_undone = |outcome: &Outcome| matches!(outcome, Outcome::Parked | Outcome::Failed);
        self.is_removed && !self.outcomes.iter().any(|(_, outcome)| is_undone(outcome))
    }

    fn text(&self) -> String {
        let outcomes: Vec<_> =
            self.outcomes.iter().map(|(view, outcome)| format!("{view}: {outcome}")).collect();
        match outcomes.is_empty() {
            true => "-".to_owned(),
            false => outcomes.join(", "),
        }
    }
}

/// Applies each record again, and removes it once that is committed.
pub async fn run(
    connection: &Connection,
    parked: &ParkedRecords,
    format: Format,
    arguments: RetryArguments,
) -> anyhow::Result<Status> {
    let (processor, maintained) = connection.registered().await?;
    connection.require_registry(&maintained)?;
    let ids = if arguments.ids.is_empty() {
        let summaries = summaries(connection, parked, arguments.view.as_deref()).await?;
        summaries.into_iter().map(|summary| summary.id).collect()
    } else {
        arguments.ids
    };
    let bar = progress::bar(ids.len() as u64, "trying again");
    let mut lines = Vec::new();
    for id in &ids {
        lines.push(retry(&processor, parked, id).await?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    print(&lines, format)?;
    Ok(if lines.iter().all(Line::is_done) { Status::Done } else { Status::Incomplete })
}

async fn retry(processor: &Processor, parked: &ParkedRecords, id: &str) -> anyhow::Result<Line> {
    let Some(stored) = find(parked, id).await? else {
        return Ok(Line::stayed(id, "no record is parked under this id"));
    };
    let record = match &stored.record {
        Ok(record) => record,
        Err(error) => return Ok(Line::stayed(id, reason(error))),
    };
    let retried = match processor.retry(record, Instant::now() + RECORD_TIME_MAX).await {
        Ok(retried) => retried,
        Err(error) => return Ok(Line::stayed(id, reason(&error))),
    };
    let mut line = Line {
        id: id.to_owned(),
        is_removed: false,
        note: retried.errors.first().map(|error| reason(error)),
        outcomes: retried.outcomes.clone(),
    };
    if retried.is_settled(record) {
        let removed = parked.remove(&stored).await;
        let removed = removed.with_context(|| {
            format!("the record {id} is applied, and still parked: try it again, which is harmless")
        })?;
        line.is_removed = true;
        if removed == Removed::Changed {
            line.note = Some("it was removed meanwhile, or parked anew".to_owned());
        }
    } else if line.outcomes.iter().any(|(_, outcome)| *outcome == Outcome::Parked) {
        line.note = Some(format!("still parked: {}", record.reason));
    }
    Ok(line)
}

fn print(lines: &[Line], format: Format) -> anyhow::Result<()> {
    let mut output = Output::new();
    match format {
        Format::Table if lines.is_empty() => output.line("nothing is parked")?,
        Format::Table => {
            let rows: Vec<[String; 4]> = lines
                .iter()
                .map(|line| {
                    let removed = if line.is_removed { "removed" } else { "stays" };
                    let note = line.note.as_deref().unwrap_or_default();
                    [on_one_line(&line.id), line.text(), removed.to_owned(), on_one_line(note)]
                })
                .collect();
            output.table(["ID", "OUTCOME", "PARKED", "NOTE"], &rows)?;
        }
        Format::Json => {
            let records: Vec<_> = lines.iter().map(document).collect();
            output.json(&json!({ "records": records }))?;
        }
    }
    output.finish()?;
    Ok(())
}

fn document(line: &Line) -> Value {
    let outcomes: serde_json::Map<String, Value> =
        line.outcomes.iter().map(|(view, it)| (view.clone(), json!(it.name()))).collect();
    json!({
        "id": line.id, "outcomes": outcomes, "removed": line.is_removed, "note": line.note,
    })
}
