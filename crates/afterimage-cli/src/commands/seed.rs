//! `afterimage seed`: sample data, or data of one's own.

mod albums;
mod messages;

use std::path::PathBuf;

use ::albums::ALBUMS;
use ::messages::MESSAGES;
use clap::{Args, Subcommand};

use crate::connection::ConnectionArguments;
use crate::failure::Status;

const EXAMPLES: &str = "\
Examples:
  afterimage seed albums
  afterimage seed albums --file albums.csv
  afterimage seed messages

A CSV file has the columns Rank, Year, Album, Artist and Genre, in any order; a JSON file is an
array of objects with these names. Seeding again writes the same items again.";

/// The arguments of `seed`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct SeedArguments {
    #[command(subcommand)]
    command: SeedCommand,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Debug, Subcommand)]
enum SeedCommand {
    /// Write albums: the sample, or those of a file
    Albums {
        /// A .csv or .json file
        #[arg(long, value_name = "CSV|JSON")]
        file: Option<PathBuf>,
    },
    /// Write conversations: the sample, or those of a file
    Messages {
        /// A .json file in the form of schema/sample/messages.json
        #[arg(long, value_name = "JSON")]
        file: Option<PathBuf>,
    },
}

/// Runs the part of the command that was chosen.
pub async fn run(arguments: SeedArguments) -> anyhow::Result<Status> {
    let connection = arguments.connection.open().await?;
    let format = arguments.connection.format();
    match arguments.command {
        SeedCommand::Albums { file } => {
            let items = albums::read(file.as_deref())?;
            connection.require(&[ALBUMS]).await?;
            albums::run(&connection, format, &items).await
        }
        SeedCommand::Messages { file } => {
            let sample = messages::read(file.as_deref())?;
            connection.require(&[MESSAGES]).await?;
            messages::run(&connection, format, &sample).await
        }
    }
}
