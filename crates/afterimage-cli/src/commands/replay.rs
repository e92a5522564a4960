//! `afterimage replay`: stream events from files, through the processor.

mod consumed;

use std::path::{Path, PathBuf};
use std::time::Duration;

use afterimage::Outcome;
use afterimage_dynamodb::{BatchReport, Processor, StreamEvent};
use afterimage_schema::Table;
use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;

use self::consumed::Consumed;
use crate::connection::ConnectionArguments;
use crate::failure::{self, Failure, Status};
use crate::output::{Format, Output};
use crate::progress;

/// How long the processor may take for one file: what Lambda gives it at most.
const FILE_TIME_MAX: Duration = Duration::from_secs(15 * 60);

const EXAMPLES: &str = "\
Examples:
  afterimage replay events/stream
  afterimage replay events/stream/message-insert.json --output json
  afterimage replay events/stream --reverse

A record that was applied before changes nothing, so a replay is safe to repeat.
Exit codes: 0 every record is done, 1 a record failed or a file is no stream event.";

/// The arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArguments {
    /// Files with a Lambda event of a DynamoDB stream, or with an on-failure record that holds one as
    /// its payload; for a folder, its *.json in name order
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Take the files in reverse order
    #[arg(long)]
    reverse: bool,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// What became of one record in one view.
struct Line {
    file: String,
    record: usize,
    event: String,
    sequence_number: String,
    view: String,
    outcome: Outcome,
}

/// Runs every file as one batch, and prints what became of each record in each view.
pub async fn run(arguments: ReplayArguments) -> anyhow::Result<Status> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        files.extend(event_files(path)?);
    }
    if arguments.reverse {
        files.reverse();
    }
    let connection = arguments.connection.open().await?;
    connection.require(&Table::ALL).await?;
    let processor =
        Processor::from_environment(connection.client.clone(), connection.names.clone())?;

    let bar = progress::bar(files.len() as u64, "replaying");
    let (mut lines, mut consumed) = (Vec::new(), Consumed::default());
    let mut refused = false;
    for file in &files {
        match read_event(file) {
            Ok(event) => {
                let report = processor.process(&event, Instant::now() + FILE_TIME_MAX).await;
                consumed.add(&report);
                lines.extend(lines_of(file, report));
            }
            Err(error) => {
                refused = true;
                bar.suspend(|| failure::print(&error));
            }
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    print(&lines, &consumed, arguments.connection.format())?;
    let failed = lines.iter().any(|line| line.outcome == Outcome::Failed);
    Ok(if refused || failed { Status::Incomplete } else { Status::Done })
}

fn lines_of(file: &Path, report: BatchReport) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, record) in report.records.into_iter().enumerate() {
        let event = record.event_name.unwrap_or_else(|| "-".to_owned());
        let sequence_number = record.sequence_number.unwrap_or_else(|| "-".to_owned());
        for (view, outcome) in record.outcomes {
            lines.push(Line {
                file: file.display().to_string(),
                record: index + 1,
                event: event.clone(),
                sequence_number: sequence_number.clone(),
                view,
                outcome,
            });
        }
    }
    lines
}

fn event_files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
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

fn read_event(file: &Path) -> anyhow::Result<StreamEvent> {
    let text = std::fs::read_to_string(file)
        .with_context(|| format!("the file {} cannot be read", file.display()))?;
    let on_failure = serde_json::from_str(&text);
    let event = on_failure.map_or(text, |OnFailure { payload }| payload);
    serde_json::from_str(&event).map_err(|error| {
        let sentence = format!("{} is no stream event", file.display());
        let next = "give a file of the form {\"Records\": […]}, as Lambda delivers it, or an on-failure record with its `payload`";
        Failure::new(sentence, next).because(error).into()
    })
}

fn print(lines: &[Line], consumed: &Consumed, format: Format) -> anyhow::Result<()> {
    let totals: Vec<(Outcome, usize)> = Outcome::ALL
        .into_iter()
        .map(|outcome| (outcome, lines.iter().filter(|line| line.outcome == outcome).count()))
        .filter(|(_, count)| *count > 0)
        .collect();
    let mut output = Output::new();
    match format {
        Format::Table if lines.is_empty() => {}
        Format::Table => {
            let rows: Vec<[String; 6]> = lines.iter().map(row).collect();
            output
                .table(["FILE", "RECORD", "EVENT", "SEQUENCE NUMBER", "VIEW", "OUTCOME"], &rows)?;
            let totals: Vec<String> =
                totals.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
            output.line(&format!("total: {}", totals.join(", ")))?;
            output.line(&format!("consumed: {consumed}"))?;
        }
        Format::Json => {
            let records: Vec<serde_json::Value> = lines.iter().map(document).collect();
            let totals: serde_json::Map<String, serde_json::Value> = totals
                .into_iter()
                .map(|(outcome, count)| (outcome.name().to_owned(), json!(count)))
                .collect();
            let consumed = consumed.document();
            let report = json!({ "records": records, "totals": totals, "consumed": consumed });
            output.json(&report)?;
        }
    }
    output.finish()?;
    Ok(())
}

fn row(line: &Line) -> [String; 6] {
    [
        line.file.clone(),
        line.record.to_string(),
        line.event.clone(),
        line.sequence_number.clone(),
        line.view.clone(),
        line.outcome.to_string(),
    ]
}

fn document(line: &Line) -> serde_json::Value {
    json!({
        "file": line.file,
        "record": line.record,
        "event": line.event,
        "sequence_number": line.sequence_number,
        "view": line.view,
        "outcome": line.outcome.name(),
    })
}
