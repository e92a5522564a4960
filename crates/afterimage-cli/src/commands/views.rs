//! `afterimage views`: what the views need, and whether a template gives it.

use std::io::Write as _;
use std::path::PathBuf;

use afterimage::views::Statement;
use afterimage_local::event_source_mapping::starved_by_template;
use afterimage_local::permissions_by_template;
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
    /// Compare what the views need with the mappings, streams and policies of a SAM template
    Check {
        /// The template; the resource `MyOrdersTable` is the table `my-orders`
        #[arg(long, value_name = "FILE", default_value = "template.yaml")]
        template: PathBuf,
        /// The logical id of the processor's function; without it, the mappings of every function count
        #[arg(long, value_name = "ID")]
        function: Option<String>,
    },
    /// Print, by table and view, which records must be delivered, as filter patterns, and which actions the
    /// function must be allowed
    Requirements,
}

fn print_statement(
    output: &mut Output,
    statement: &Statement,
    format: Format,
) -> std::io::Result<()> {
    let Statement { view, actions, table, index, key_prefix } = statement;
    match format {
        Format::Table => {
            let index = index.as_ref().map(|it| format!("/index/{it}")).unwrap_or_default();
            let view = view.as_deref().unwrap_or("every view");
            let keys = match key_prefix.is_empty() {
                true => String::new(),
                false => format!("  dynamodb:LeadingKeys {key_prefix}*"),
            };
            output.line(&format!("{table}{index}  {view}  {}{keys}", actions.join(" ")))
        }
        Format::Json => output.json(&json!({
            "table": table.logical_name(),
            "index": index,
            "view": view,
            "actions": actions,
            "leading_keys": (!key_prefix.is_empty()).then(|| format!("{key_prefix}*")),
        })),
    }
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
            let mut starved = starved_by_template(&views, &text, function.as_deref())?;
            let permissions = permissions_by_template(&views, &text, function.as_deref())?;
            starved.extend(permissions.missing);
            for it in &permissions.unknown {
                match format {
                    Format::Table => writeln!(std::io::stderr(), "note: {it}")?,
                    Format::Json => output.json(&json!({ "unknown": it }))?,
                }
            }
            for it in &starved {
                status = Status::Incomplete;
                match format {
                    Format::Table => output.line(&it.to_string())?,
                    Format::Json => output
                        .json(&json!({ "view": it.view, "problem": it.problem, "fix": it.fix }))?,
                }
            }
            if starved.is_empty() && format == Format::Table {
                let end = if permissions.unknown.is_empty() { " and permissions" } else { "" };
                output.line(&format!("every view gets the records{end} that it needs"))?;
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
            for statement in views.statements() {
                print_statement(&mut output, &statement, format)?;
            }
        }
    }
    output.finish()?;
    Ok(status)
}
