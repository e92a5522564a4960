//! `afterimage schema`: the tables.

mod drop;
mod list;
mod load;
mod request;
mod tables;

use clap::{Args, Subcommand};

use crate::connection::ConnectionArguments;
use crate::failure::Status;

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
