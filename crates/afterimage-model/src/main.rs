//! `afterimage-model`: explores the protocols, and prints what it found.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = afterimage_model::Arguments::parse();
    match afterimage_model::run(&arguments, &mut std::io::stdout().lock()) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            let _unheard =
                std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("error: {error}\n"));
            ExitCode::FAILURE
        }
    }
}
