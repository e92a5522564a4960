//! `afterimage parked`: records that could not be applied.

mod drop;
mod list;
mod records;
mod retry;
mod show;

use afterimage_dynamodb::ParkedRecords;
use afterimage_schema::Table;
use clap::{Args, Subcommand};

use crate::connection::ConnectionArguments;
use crate::failure::Status;

const EXAMPLES: &str = "\
Examples:
  afterimage parked list
  afterimage parked list genre-counts --limit 10 --output json
  afterimage parked show 'genre-counts#2026-01-31T12:00:00.000#100000000000000000001'
  afterimage parked retry --view genre-counts
  afterimage parked drop --all --yes

A retry applies a record as if it came now: where a newer record of the same item was applied meanwhile,
it is a duplicate, and goes. What still cannot be applied stays.
Exit codes: 0 done, 1 a record stayed where it should have gone.";

/// The arguments of `parked`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ParkedArguments {
    #[command(subcommand)]
    command: ParkedCommand,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Debug, Subcommand)]
enum ParkedCommand {
    /// Count parked records by view and reason, and list them
    List(list::ListArguments),
    /// Print all that is known of a parked record, its payload included
    Show(show::ShowArguments),
    /// Apply parked records again, once the views or the code are mended
    Retry(retry::RetryArguments),
    /// Delete parked records for ever
    Drop(drop::DropArguments),
}

/// Runs the part of the command that was chosen.
pub async fn run(arguments: ParkedArguments) -> anyhow::Result<Status> {
    let connection = arguments.connection.open().await?;
    let format = arguments.connection.format();
    connection.require(&[Table::DERIVED]).await?;
    let parked = ParkedRecords::new(connection.client.clone(), connection.catalog()?);
    match arguments.command {
        ParkedCommand::List(arguments) => list::run(&connection, &parked, format, arguments).await,
        ParkedCommand::Show(arguments) => show::run(&parked, format, &arguments).await,
        ParkedCommand::Retry(arguments) => {
            retry::run(&connection, &parked, format, arguments).await
        }
        ParkedCommand::Drop(arguments) => drop::run(&connection, &parked, format, arguments).await,
    }
}
