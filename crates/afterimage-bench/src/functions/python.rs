//! The baseline: `python/handler.py` under AWS's own runtime client.

use crate::workload::{ALBUMS, MESSAGES};
use std::path::{Path, PathBuf};

use afterimage_schema::Table;
use tokio::process::Command;

use super::building::{run, target_folder};
use super::program::Program;
use crate::BenchError;

const HANDLER: &str = include_str!("../../python/handler.py");
const REQUIREMENTS: &str = include_str!("../../python/requirements.txt");

/// Where its packages are, and a copy of the handler, so that Python's caches are there too.
fn folder() -> Result<PathBuf, BenchError> {
    Ok(target_folder()?.join("afterimage-bench-python"))
}

/// The file that says which packages are installed.
fn mark(folder: &Path) -> PathBuf {
    folder.join("installed")
}

/// Whether the packages are there, all of the wanted versions, for a Python that still is.
pub(super) fn is_installed() -> Result<bool, BenchError> {
    let folder = folder()?;
    let installed = std::fs::read_to_string(mark(&folder)).ok();
    Ok(installed.as_deref() == Some(REQUIREMENTS) && has_runtime_client(&folder))
}

fn has_runtime_client(folder: &Path) -> bool {
    let mut import = std::process::Command::new(folder.join("bin/python"));
    import.args(["-c", "import awslambdaric"]).output().is_ok_and(|it| it.status.success())
}

/// Installs the packages, where they are not there.
pub(super) async fn install() -> Result<(), BenchError> {
    if is_installed()? {
        return Ok(());
    }
    let folder = folder()?;
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder)).await?;
    let requirements: Vec<_> = REQUIREMENTS.lines().collect();
    let mut pip = Command::new(folder.join("bin/python"));
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    run(pip.args(requirements)).await?;
    write(&mark(&folder), REQUIREMENTS)
}

/// The function.
pub(super) fn program() -> Result<Program, BenchError> {
    let folder = folder()?;
    write(&folder.join("handler.py"), HANDLER)?;
    let of_table = |table: &Table| (table.environment_variable(), table.default_name());
    let python_path = ("PYTHONPATH".to_owned(), folder.to_string_lossy().into_owned());
    Ok(Program {
        language: "Python",
        path: folder.join("bin/python"),
        arguments: &["-m", "awslambdaric", "handler.handler"],
        variables: [ALBUMS, MESSAGES, Table::DERIVED]
            .iter()
            .map(of_table)
            .chain([python_path])
            .collect(),
    })
}

fn write(path: &Path, text: &str) -> Result<(), BenchError> {
    let name = || path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    std::fs::write(path, text).map_err(|source| BenchError::File { path: name(), source })
}
