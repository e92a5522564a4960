//! `afterimage scan`: every item of a table.

use afterimage_schema::Table;
use clap::Args;

use crate::connection::ConnectionArguments;
use crate::failure::Status;
use crate::item;
use crate::output::{Format, Output};

const EXAMPLES: &str = "\
Examples:
  afterimage scan albums --limit 5
  afterimage scan derived --output json > derived.jsonl
  ORDERS_TABLE=prod-orders afterimage scan orders --views views.toml --aws";

/// The arguments of `scan`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ScanArguments {
    /// The table, as the views file calls it, or `derived`
    table: Table,
    /// Stop after this many items
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Prints the items page by page, consistently read: one line per item, as `name=value` pairs with
/// the key in front, or in DynamoDB's JSON.
pub async fn run(arguments: ScanArguments) -> anyhow::Result<Status> {
    let connection = arguments.connection.open().await?;
    let definition = connection.table(&arguments.table)?;
    let name = connection.names.name(&definition.table)?;
    let keys: Vec<&str> = definition.key_attributes().collect();
    let mut pages =
        connection.client.scan().table_name(name).consistent_read(true).into_paginator().send();
    let mut output = Output::new();
    let mut left = arguments.limit.unwrap_or(usize::MAX);
    while left > 0 {
        let Some(page) = pages.next().await else {
            break;
        };
        let page = page.map_err(|error| connection.explain(error))?;
        for item in page.items().iter().take(left) {
            match arguments.connection.format() {
                Format::Table => output.line(&item::to_line(item, &keys)?)?,
                Format::Json => output.json(&item::to_json(item)?)?,
            }
        }
        left = left.saturating_sub(page.items().len());
    }
    output.finish()?;
    Ok(Status::Done)
}
