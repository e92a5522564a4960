//! `afterimage conversation`: what people see.

use clap::{Args, Subcommand};

use crate::connection::ConnectionArguments;
use crate::failure::Status;

/// The arguments of `conversation`.
#[derive(Debug, Args)]
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
pub async fn run(_arguments: ConversationArguments) -> anyhow::Result<Status> {
    Ok(Status::Done)
}
