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
pub mod views;

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
    /// Print what the views need, or compare it with a template
    Views(views::ViewsArguments),
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
        Command::Views(arguments) => Box::pin(views::run(arguments)),
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The help texts of a command and all below it.
    fn help_texts(command: &clap::Command) -> Vec<String> {
        let own = command.get_after_help().map(ToString::to_string);
        own.into_iter().chain(command.get_subcommands().flat_map(help_texts)).collect()
    }

    #[track_caller]
    fn check_example(line: &str) {
        let line = line.rsplit(" | ").next().unwrap_or(line);
        let line = line.split(" > ").next().unwrap_or(line);
        let words = line.split_whitespace().map(|word| word.trim_matches('\''));
        let top = Command::augment_subcommands(clap::Command::new("afterimage"));
        if let Err(error) = top.try_get_matches_from(words) {
            panic!("{line}: {error}");
        }
    }

    #[test]
    fn the_examples_of_every_help_are_understood() {
        let top = Command::augment_subcommands(clap::Command::new("afterimage"));
        for command in top.get_subcommands() {
            let texts = help_texts(command);
            let lines = texts.iter().flat_map(|text| text.lines()).map(str::trim_start);
            let is_example =
                |line: &&str| line.starts_with("afterimage ") || line.contains(" | afterimage ");
            let examples: Vec<&str> = lines.filter(is_example).collect();
            assert!(!examples.is_empty(), "{} shows no examples", command.get_name());
            examples.into_iter().for_each(check_example);
        }
    }
}
