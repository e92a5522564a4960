//! `afterimage views`: what the views need, and whether a template gives it.

use std::path::PathBuf;

use afterimage_local::event_source_mapping::starved_by_template;
use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::json;

use crate::connection::ConnectionArguments;
use crate::failure::Status;
use crate::output::{Format, Output};

const EXAMPLES: &str = "\
Examples:
  afterimage views check
  afterimage views check --views views.toml --template template.yaml --function StreamProcessor
  afterimage views requirements --output json

Exit codes of check: 0 every view gets what it needs, 1 one does not, or a file does not read.";

/// The arguments of `views`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ViewsArguments {
    #[command(subcommand)]
    command: ViewsCommand,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Debug, Subcommand)]
enum ViewsCommand {
    /// Compare what the views need with the mappings and streams of a SAM template
    Check {
        /// The template; the resource `MyOrdersTable` is the table `my-orders`
        #[arg(long, value_name = "FILE", default_value = "template.yaml")]
        template: PathBuf,
        /// The logical id of the processor's function; without it, the mappings of every function count
        #[arg(long, value_name = "ID")]
        function: Option<String>,
    },
    /// Print, by table and view, which records must be delivered, as filter patterns
    Requirements,
}

/// Runs the part of the command that was chosen. No DynamoDB is asked.
pub async fn run(arguments: ViewsArguments) -> anyhow::Result<Status> {
    let format = arguments.connection.format();
    let views = arguments.connection.open().await?.views;
    let mut output = Output::new();
    let mut status = Status::Done;
    match arguments.command {
        ViewsCommand::Check { template, function } => {
            let text = std::fs::read_to_string(&template)
                .with_context(|| format!("the template {} cannot be read", template.display()))?;
            let starved = starved_by_template(&views, &text, function.as_deref())?;
            for it in &starved {
                status = Status::Incomplete;
                match format {
                    Format::Table => output.line(&it.to_string())?,
                    Format::Json => output
                        .json(&json!({ "view": it.view, "problem": it.problem, "fix": it.fix }))?,
                }
            }
            if starved.is_empty() && format == Format::Table {
                output.line("every view gets the records that it needs")?;
            }
        }
        ViewsCommand::Requirements => {
            for requirement in views.requirements() {
                let table = requirement.table.logical_name();
                for slice in requirement.slices {
                    let (view, pattern) = (&slice.view, slice.pattern());
                    match format {
                        Format::Table => output.line(&format!("{table}  {view}  {pattern}"))?,
                        Format::Json => output.json(&json!({
                            "table": table,
                            "view": view,
                            "image": "NEW_IMAGE",
                            "pattern": pattern,
                        }))?,
                    }
                }
            }
        }
    }
    output.finish()?;
    Ok(status)
}
