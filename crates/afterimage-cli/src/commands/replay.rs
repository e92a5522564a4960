//! `afterimage replay`: stream events from files, and batches that were not delivered, through the
//! processor.

mod consumed;
mod content;
mod event_file;
mod json_file;
mod kind;
mod reading;
mod stream_range;
mod undelivered;

use std::path::PathBuf;
use std::time::Duration;

use afterimage::Outcome;
use afterimage::parked::NO_VIEW;
use afterimage::version::StreamLabel;
use afterimage_dynamodb::{Processor, StreamEvent};
use afterimage_local::event_source_mapping::EventSource;
use clap::Args;
use indicatif::ProgressBar;
use serde_json::json;
use tokio::time::Instant;

use self::consumed::Consumed;
use self::event_file::{event_files, foreign_table, read_event};
use self::stream_range::StreamRange;
use self::undelivered::{Batch, read_messages};
use crate::connection::{Connection, ConnectionArguments};
use crate::failure::{self, Failure, Status};
use crate::output::{Format, Output};
use crate::progress;

/// How long the processor may take for one batch: what Lambda gives it at most.
const BATCH_TIME_MAX: Duration = Duration::from_secs(15 * 60);

const EXAMPLES: &str = "\
Examples:
  afterimage replay events/stream
  afterimage replay events/stream/message-insert.json --output json
  afterimage replay events/stream --reverse
  afterimage replay records.json --stream-arn arn:aws:dynamodb:eu-west-1:123456789012:table/albums/stream/2026-01-01T00:00:00.000
  afterimage replay --undelivered message.json --aws
  aws sqs receive-message --queue-url URL | afterimage replay --undelivered - --aws

A record that was applied before changes nothing, so a replay is safe to repeat.
Exit codes: 0 every record is done; 1 a record failed, belongs to no view, or is no longer in its
stream, or a file is not what it should be.";

/// The arguments of `replay`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ReplayArguments {
    /// Files with records of a DynamoDB stream: Lambda events, lists of records as EventBridge Pipes hands
    /// them over, answers of GetRecords, or on-failure records with their payload; one, or several after
    /// another; for a folder, its *.json in name order
    #[arg(required_unless_present = "undelivered", value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    /// Take the files in reverse order
    #[arg(long)]
    reverse: bool,
    /// The stream of records that do not name theirs, such as an answer of GetRecords
    #[arg(long, value_name = "ARN", value_parser = parse_stream_arn)]
    stream_arn: Option<EventSource>,
    /// Read batches that Lambda gave up from their stream again, which keeps them for 24 hours: a file
    /// with messages of the on-failure queue or topic, bare or as SQS, SNS or Lambda hand them over; - for
    /// standard input
    #[arg(long, value_name = "MESSAGE", conflicts_with_all = ["paths", "reverse", "stream_arn"])]
    undelivered: Option<PathBuf>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

fn parse_stream_arn(text: &str) -> Result<EventSource, &'static str> {
    let source = EventSource::of_stream(text).filter(|source| {
        let label = source.arn.rsplit('/').next().map(str::parse::<StreamLabel>);
        label.is_some_and(|label| label.is_ok())
    });
    source.ok_or("give it as `aws dynamodbstreams list-streams` does: arn:aws:dynamodb:REGION:ACCOUNT:table/NAME/stream/LABEL")
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

/// Runs every file, or every page of a batch, as one batch, and prints what became of each record in
/// each view.
pub async fn run(arguments: ReplayArguments) -> anyhow::Result<Status> {
    let mut files = Vec::new();
    for path in &arguments.paths {
        files.extend(event_files(path)?);
    }
    if arguments.reverse {
        files.reverse();
    }
    let connection = arguments.connection.open().await?;
    let messages = match &arguments.undelivered {
        Some(path) => read_messages(path).await?,
        None => Vec::new(),
    };
    let (processor, maintained) = connection.registered().await?;
    connection.require_registry(&maintained)?;
    let catalog = maintained.catalog;
    let bar = progress::bar((files.len() + messages.len()) as u64, "replaying");
    let mut replay = Replay {
        processor,
        bar,
        lines: Vec::new(),
        consumed: Consumed::default(),
        is_incomplete: false,
    };
    for file in &files {
        match read_event(file, &catalog, arguments.stream_arn.as_ref()) {
            Ok(event) => replay.apply(&file.display().to_string(), 0, &event).await,
            Err(error) => replay.refuse(&error),
        }
        replay.bar.inc(1);
    }
    for message in messages {
        let applied = match message.batch {
            Ok(batch) => replay.apply_undelivered(&connection, &message.name, &batch).await,
            Err(error) => Err(error),
        };
        if let Err(error) = applied {
            replay.refuse(&error);
        }
        replay.bar.inc(1);
    }
    replay.bar.finish_and_clear();
    print(&replay.lines, &replay.consumed, arguments.connection.format())?;
    Ok(replay.status())
}

/// What was replayed so far.
struct Replay {
    processor: Processor,
    bar: ProgressBar,
    lines: Vec<Line>,
    consumed: Consumed,
    is_incomplete: bool,
}

impl Replay {
    /// Applies a batch whose first record has so many before it.
    async fn apply(&mut self, name: &str, before_count: usize, event: &StreamEvent) {
        let report = self.processor.process(event, Instant::now() + BATCH_TIME_MAX).await;
        self.consumed.add(&report);
        for (index, record) in report.records.into_iter().enumerate() {
            let event = record.event_name.unwrap_or_else(|| "-".to_owned());
            let sequence_number = record.sequence_number.unwrap_or_else(|| "-".to_owned());
            for (view, outcome) in record.outcomes {
                self.lines.push(Line {
                    file: name.to_owned(),
                    record: before_count + index + 1,
                    event: event.clone(),
                    sequence_number: sequence_number.clone(),
                    view,
                    outcome,
                });
            }
        }
    }

    /// Applies a batch that Lambda gave up, page by page.
    async fn apply_undelivered(
        &mut self,
        connection: &Connection,
        name: &str,
        batch: &Batch,
    ) -> anyhow::Result<()> {
        if connection.names.table_named(&batch.source.table_name).is_none() {
            return Err(
                foreign_table(&format!("the batch of {name}"), &batch.source.table_name).into()
            );
        }
        let mut range = StreamRange::open(connection, batch).await?;
        let mut count = 0;
        while let Some(event) = range.next().await? {
            self.apply(name, count, &event).await;
            count += event.records.len();
        }
        range.missing(name).map_or(Ok(()), |failure| Err(failure.into()))
    }

    /// Says why something was not replayed.
    fn refuse(&mut self, error: &anyhow::Error) {
        self.is_incomplete = true;
        self.bar.suspend(|| failure::print(error));
    }

    /// How the replay came out; what reached no view is said.
    fn status(&self) -> Status {
        let is_lost = |line: &&Line| line.view == NO_VIEW && line.outcome == Outcome::Parked;
        let lost_count = self.lines.iter().filter(is_lost).count();
        if lost_count > 0 {
            let sentence = format!(
                "no view could be told for {lost_count} of the records: parked under `{NO_VIEW}`"
            );
            let next = "`afterimage parked list -` says why";
            failure::print(&Failure::new(sentence, next).into());
        }
        let is_failed = self.lines.iter().any(|line| line.outcome == Outcome::Failed);
        match self.is_incomplete || is_failed || lost_count > 0 {
            true => Status::Incomplete,
            false => Status::Done,
        }
    }
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
