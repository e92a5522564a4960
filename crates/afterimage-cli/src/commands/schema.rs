//! `afterimage schema`: the tables.

mod drop;
mod list;
mod load;
mod request;

use std::time::Duration;

use afterimage_schema::{Table, TableDefinition};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::TableDescription;
use clap::{Args, Subcommand};

use crate::connection::{Connection, ConnectionArguments};
use crate::failure::{Failure, Status};

/// How often a table is asked whether it is ready; AWS takes seconds to create one.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

const EXAMPLES: &str = "\
Examples:
  afterimage schema load
  afterimage schema list --output json
  afterimage schema drop derived --yes";

/// The arguments of `schema`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SchemaArguments {
    #[command(subcommand)]
    command: SchemaCommand,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Debug, Subcommand)]
enum SchemaCommand {
    /// Create the tables that are missing, and compare those that exist with their definitions
    Load,
    /// List the tables: status, item count, stream
    List,
    /// Delete tables, and everything in them
    Drop(drop::DropArguments),
}

/// Runs the part of the command that was chosen.
pub async fn run(arguments: SchemaArguments) -> anyhow::Result<Status> {
    let connection = arguments.connection.open().await?;
    let format = arguments.connection.format();
    match arguments.command {
        SchemaCommand::Load => load::run(&connection, format).await,
        SchemaCommand::List => list::run(&connection, format).await,
        SchemaCommand::Drop(arguments) => drop::run(&connection, format, arguments).await,
    }
}

/// The table as DynamoDB describes it; `None` if there is none.
async fn describe(
    connection: &Connection,
    table: &Table,
) -> anyhow::Result<Option<TableDescription>> {
    let name = connection.names.name(table)?;
    match connection.client.describe_table().table_name(name).send().await {
        Ok(described) => Ok(described.table),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(connection.explain(error)),
    }
}

/// The tables without those that were named twice; all of them if none is named.
fn chosen(connection: &Connection, named: &[Table]) -> Result<Vec<TableDefinition>, Failure> {
    for table in named {
        connection.table(table)?;
    }
    let mut tables = connection.tables();
    tables.retain(|it| named.is_empty() || named.contains(&it.table));
    Ok(tables)
}
