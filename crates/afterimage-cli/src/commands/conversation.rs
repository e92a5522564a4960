//! `afterimage conversation`: what people see.

mod get;
mod list;

use clap::{Args, Subcommand};
use messages::{Clock, MESSAGES, Messages};

use crate::connection::ConnectionArguments;
use crate::failure::Status;

const EXAMPLES: &str = "\
Examples:
  afterimage conversation list ada-demo
  afterimage conversation get c0c0c0c0-0000-4000-8000-000000000001";

/// The arguments of `conversation`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct ConversationArguments {
    #[command(subcommand)]
    command: ConversationCommand,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Debug, Subcommand)]
enum ConversationCommand {
    /// Print the last 20 messages of a conversation, and what reading them cost
    Get {
        /// The conversation's message_group_uuid
        group: String,
    },
    /// Print somebody's conversations, the newest first
    List {
        /// The handle
        handle: String,
    },
}

/// Runs the part of the command that was chosen.
pub async fn run(arguments: ConversationArguments) -> anyhow::Result<Status> {
    let connection = arguments.connection.open().await?;
    connection.require(&[MESSAGES]).await?;
    let name = connection.names.name(&MESSAGES)?.to_owned();
    let messages = Messages::new(connection.client.clone(), name, Clock::system());
    let format = arguments.connection.format();
    match arguments.command {
        ConversationCommand::Get { group } => get::run(&messages, format, &group).await,
        ConversationCommand::List { handle } => list::run(&messages, format, &handle).await,
    }
}
