//! `afterimage logs`: what the functions logged, from the local stack's file or from CloudWatch Logs.

mod cloud;
mod event;
mod local;
mod since;

use std::path::PathBuf;

use afterimage::Outcome;
use anyhow::Context as _;
use clap::Args;
use clap::builder::PossibleValuesParser;
use time::OffsetDateTime;

use crate::connection::ConnectionArguments;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output};
use event::{Event, Selection};
use since::Since;

const EXAMPLES: &str = "\
Examples:
  afterimage logs
  afterimage logs --since 10m --view genre-counts --outcome parked --follow
  afterimage logs --aws --log-group my-stack-ProcessorLogs-1ABC --output json

With --output json each line is an event as it was logged: docs/operating.md lists the fields. Lines that
only carry the metrics of a view or an outcome are left out: `batch processed` has the same numbers.";

/// The arguments of `logs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct LogsArguments {
    /// How far to look back, as a number of s, m, h or d
    #[arg(long, value_name = "TIME", default_value = "1h")]
    since: Since,
    /// Only events of this view; `-` for records that no view reads
    #[arg(long, value_name = "VIEW", allow_hyphen_values = true)]
    view: Option<String>,
    /// Only events with this outcome
    #[arg(long, value_name = "OUTCOME", value_parser = outcome_names())]
    outcome: Option<String>,
    /// Go on until Ctrl-C
    #[arg(long)]
    follow: bool,
    /// The local stack's data dir
    #[arg(long, value_name = "DIR", default_value = ".afterimage")]
    data_dir: PathBuf,
    /// With --aws, the log group; the stack's output ProcessorLogGroup names it
    #[arg(long, value_name = "NAME", env = "PROCESSOR_LOG_GROUP")]
    log_group: Option<String>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

fn outcome_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Outcome::ALL.map(Outcome::name))
}

/// Prints the events, the oldest first.
pub async fn run(arguments: LogsArguments) -> anyhow::Result<Status> {
    let looked_back = arguments.since.duration().try_into().ok();
    let from = looked_back
        .and_then(|it| OffsetDateTime::now_utc().checked_sub(it))
        .context("there is no time that long ago")?;
    let selection = Selection { view: arguments.view, outcome: arguments.outcome };
    let printer =
        Printer { output: Output::new(), format: arguments.connection.format(), selection, from };
    if !arguments.connection.is_aws() {
        return local::run(printer, &arguments.data_dir, arguments.follow).await;
    }
    let Some(log_group) = arguments.log_group else {
        let next = "give --log-group, or PROCESSOR_LOG_GROUP: the deployed stack's output ProcessorLogGroup";
        return Err(Failure::usage("no log group is named", next).into());
    };
    cloud::run(printer, &log_group, arguments.follow).await
}

/// Prints the events that are asked for.
struct Printer {
    output: Output,
    format: Format,
    selection: Selection,
    from: OffsetDateTime,
}

impl Printer {
    /// Prints a line of the log, if it is asked for.
    fn line(&mut self, line: &str) -> std::io::Result<()> {
        let event = Event::parse(line);
        let is_old = event.timestamp().is_some_and(|at| at < self.from);
        if is_old || !self.selection.takes(&event) {
            return Ok(());
        }
        match self.format {
            Format::Table => self.output.line(&event.to_string()),
            Format::Json => self.output.json(&event.into_json()),
        }
    }

    /// Shows what was printed so far.
    fn flush(&mut self) -> std::io::Result<()> {
        self.output.flush()
    }
}
