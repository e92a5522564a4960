//! `afterimage-sim`: looks for a schedule in which derived items are not exact.

use std::process::ExitCode;

use afterimage_sim::command::{Arguments, execute};
use clap::Parser as _;

fn main() -> ExitCode {
    execute(&Arguments::parse())
}
