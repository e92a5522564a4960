//! One file per command: its arguments with their help, and `run`.

pub mod conversation;
mod local_stack;
pub mod logs;
pub mod parked;
mod prompt;
pub mod replay;
pub mod scan;
pub mod schema;
pub mod seed;
pub mod status;
pub mod token;
pub mod up;
pub mod verify;

use std::pin::Pin;

use anyhow::Context as _;
use clap::Subcommand;

use crate::failure::Status;

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run everything on this machine: DynamoDB, the HTTP API, the stream trigger
    Up(up::UpArguments),
    /// Run stream events from files through the processor
    Replay(replay::ReplayArguments),
    /// Look at parked records, try them again, or drop them
    Parked(parked::ParkedArguments),
    /// Compare derived items with the source tables
    Verify(verify::VerifyArguments),
    /// Print, by view, how far it is behind, what became of records, and whether it was exact
    Status(status::StatusArguments),
    /// Print what the functions logged
    Logs(logs::LogsArguments),
    /// Create, list or delete the tables
    Schema(schema::SchemaArguments),
    /// Write sample data, or data of your own
    Seed(seed::SeedArguments),
    /// Print every item of a table
    Scan(scan::ScanArguments),
    /// Print a conversation, or somebody's conversations
    Conversation(conversation::ConversationArguments),
    /// Print a token for the local HTTP API
    Token(token::TokenArguments),
}

/// Runs a command. Every write is whole or absent, so Ctrl-C cuts any of them off at once; `up`
/// ends in its own way.
pub async fn run(command: Command) -> anyhow::Result<Status> {
    let work: Pin<Box<dyn Future<Output = anyhow::Result<Status>>>> = match command {
        Command::Up(arguments) => return up::run(arguments).await,
        Command::Replay(arguments) => Box::pin(replay::run(arguments)),
        Command::Parked(arguments) => Box::pin(parked::run(arguments)),
        Command::Verify(arguments) => Box::pin(verify::run(arguments)),
        Command::Status(arguments) => Box::pin(status::run(arguments)),
        Command::Logs(arguments) => Box::pin(logs::run(arguments)),
        Command::Schema(arguments) => Box::pin(schema::run(arguments)),
        Command::Seed(arguments) => Box::pin(seed::run(arguments)),
        Command::Scan(arguments) => Box::pin(scan::run(arguments)),
        Command::Conversation(arguments) => Box::pin(conversation::run(arguments)),
        Command::Token(arguments) => Box::pin(token::run(arguments)),
    };
    tokio::select! {
        // First, so that an interrupt is heard before any work begins.
        biased;
        interrupt = tokio::signal::ctrl_c() => {
            interrupt.context("Ctrl-C cannot be listened for")?;
            Ok(Status::Interrupted)
        }
        result = work => result,
    }
}
