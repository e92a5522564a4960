//! What it takes to make a function: a folder, and other programs.

use std::path::{Path, PathBuf};

use tokio::process::Command;

use crate::BenchError;

/// The folder that cargo builds into: this program stands in `PROFILE/deps` of it.
pub(super) fn target_folder() -> Result<PathBuf, BenchError> {
    let program = std::env::current_exe();
    let program =
        program.map_err(|source| BenchError::File { path: "this program".to_owned(), source })?;
    let folder = program.ancestors().nth(3).map(Path::to_path_buf);
    folder.ok_or(BenchError::State { what: "this program is in no target folder" })
}

/// Runs a program to its end, its messages on standard error; it ends with this one.
pub(super) async fn run(command: &mut Command) -> Result<Vec<u8>, BenchError> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let spawned = command.kill_on_drop(true).stdout(std::process::Stdio::piped()).spawn();
    let error = |source| BenchError::Program { program: program.clone(), source };
    let output = spawned.map_err(error)?.wait_with_output().await.map_err(error)?;
    if output.status.success() { Ok(output.stdout) } else { Err(BenchError::Failed { program }) }
}
