//! `cargo bench -p afterimage-bench`: see `--help`.

use std::process::ExitCode;

use afterimage_bench::{Arguments, execute};
use clap::Parser as _;

fn main() -> ExitCode {
    execute(&Arguments::parse())
}
