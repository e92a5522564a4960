//! The `afterimage` command. A library too, so that its own tests can ask for the feature `aws`: what they build
//! has it, and `cargo run` has not.

mod commands;
mod connection;
mod failure;
mod item;
mod output;
mod progress;

use std::process::ExitCode;

use clap::Parser;

use crate::commands::Command;

/// Keeps derived items in DynamoDB exact.
#[derive(Debug, Parser)]
#[command(name = "afterimage", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 something failed, 2 wrong usage, 130 interrupted.
`afterimage up --help` names those of the local stack.";

/// Runs the command that the process was called with; gives the process's exit code.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match tokio::runtime::Runtime::new() {
        Ok(runtime) => {
            let result = runtime.block_on(commands::run(arguments.command));
            // Nothing is waited for: a read from the terminal may never end.
            runtime.shutdown_background();
            result
        }
        Err(error) => Err(error.into()),
    };
    failure::exit_code(result)
}
