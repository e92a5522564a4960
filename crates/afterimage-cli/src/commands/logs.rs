//! `afterimage logs`: what the functions logged, from the local stack's file or from CloudWatch Logs.

mod cloud;
mod event;
mod local;
pub(super) mod log_group;
mod printer;
pub(super) mod since;

use std::path::PathBuf;

use afterimage::Outcome;
use clap::Args;
use clap::builder::PossibleValuesParser;

use crate::connection::ConnectionArguments;
use crate::failure::{Failure, Status};
use crate::output::Output;
use event::Selection;
use printer::Printer;
use since::Since;

/// Where `afterimage up` keeps its data unless told otherwise.
const DEFAULT_DATA_DIR: &str = ".afterimage";

const EXAMPLES: &str = "\
Examples:
  afterimage logs
  afterimage logs --since 10m --view genre-counts --outcome parked --follow
  afterimage logs --aws --log-group my-stack-ProcessorLogs-1ABC --output json

With --output json each line is an event as it was logged: docs/operating.md lists the fields. CloudWatch
Logs adds `log_stream`, and the `timestamp` where a line has none. Lines that only carry the metrics of a
view or an outcome are left out: `batch processed` has the same numbers.";

/// The arguments of `logs`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_arg("endpoint", |endpoint| endpoint.hide(true)))]
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
    /// The local stack's data dir [default: .afterimage]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// With --aws, the log group; the stack's output ProcessorLogGroup names it
    /// [environment: PROCESSOR_LOG_GROUP]
    #[arg(long, value_name = "NAME")]
    log_group: Option<String>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

fn outcome_names() -> PossibleValuesParser {
    PossibleValuesParser::new(Outcome::ALL.map(Outcome::name))
}

/// Where the events are.
#[derive(Debug)]
enum Place {
    DataDir(PathBuf),
    LogGroup(String),
}

impl LogsArguments {
    /// Where the events are; options of another place are refused.
    fn place(&self) -> anyhow::Result<Place> {
        self.connection.check()?;
        let is_aws = self.connection.is_aws();
        let refused = if self.connection.has_endpoint() {
            Some((
                "logs reads a file or CloudWatch Logs, and no DynamoDB: --endpoint says nothing to it",
                "name the local stack's --data-dir, or give --aws",
            ))
        } else if is_aws && self.data_dir.is_some() {
            Some((
                "--data-dir is of a local stack, and --aws is not",
                "give --log-group with --aws, or --data-dir alone",
            ))
        } else if !is_aws && self.log_group.is_some() {
            Some(("--log-group is on AWS", "give --aws with it, or --data-dir for a local stack"))
        } else {
            None
        };
        if let Some((sentence, next)) = refused {
            return Err(Failure::usage(sentence, next).into());
        }
        if !is_aws {
            let data_dir = self.data_dir.clone();
            return Ok(Place::DataDir(data_dir.unwrap_or_else(|| DEFAULT_DATA_DIR.into())));
        }
        let named = log_group::name(self.log_group.as_deref())?;
        let named =
            named.ok_or_else(|| Failure::usage("no log group is named", log_group::NEXT))?;
        Ok(Place::LogGroup(named))
    }
}

/// Prints the events, the oldest first.
pub async fn run(arguments: LogsArguments) -> anyhow::Result<Status> {
    let place = arguments.place()?;
    let from = arguments.since.start()?;
    let selection = Selection { view: arguments.view, outcome: arguments.outcome };
    let printer =
        Printer { output: Output::new(), format: arguments.connection.format(), selection, from };
    match place {
        Place::DataDir(data_dir) => local::run(printer, &data_dir, arguments.follow).await,
        Place::LogGroup(name) => cloud::run(printer, name, arguments.follow).await,
    }
}
