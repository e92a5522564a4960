//! The `afterimage` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    afterimage_cli::main()
}
