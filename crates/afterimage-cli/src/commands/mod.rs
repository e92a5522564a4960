//! One file per command: its arguments with their help, and `run`.

pub mod conversation;
pub mod replay;
pub mod scan;
pub mod schema;
pub mod seed;
pub mod token;
pub mod up;

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
    if let Command::Up(arguments) = command {
        return up::run(arguments).await;
    }
    tokio::select! {
        // First, so that an interrupt is heard before any work begins.
        biased;
        interrupt = tokio::signal::ctrl_c() => {
            interrupt.context("Ctrl-C cannot be listened for")?;
            Ok(Status::Interrupted)
        }
        result = dispatch(command) => result,
    }
}

async fn dispatch(command: Command) -> anyhow::Result<Status> {
    match command {
        Command::Up(arguments) => up::run(arguments).await,
        Command::Replay(arguments) => replay::run(arguments).await,
        Command::Schema(arguments) => schema::run(arguments).await,
        Command::Seed(arguments) => seed::run(arguments).await,
        Command::Scan(arguments) => scan::run(arguments).await,
        Command::Conversation(arguments) => conversation::run(arguments).await,
        Command::Token(arguments) => token::run(arguments).await,
    }
}
