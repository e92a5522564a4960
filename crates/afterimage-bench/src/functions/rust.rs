//! `stream-processor`, as it is deployed.

use std::path::PathBuf;

use serde_json::Value;
use testkit::dynamodb::product_names;
use testkit::lambda::{DeployedFunction, repository};
use tokio::process::Command;

use super::building::{run, target_folder};
use super::program::Program;
use crate::BenchError;

const BINARY: &str = "stream-processor";

/// Builds it in the profile that is deployed.
pub(super) async fn build() -> Result<Program, BenchError> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command
        .current_dir(repository())
        .args(["build", "--release", "--locked", "--package", BINARY])
        .arg("--message-format=json-render-diagnostics")
        .arg("--target-dir")
        .arg(target_folder()?);
    let messages = run(&mut command).await?;
    let path = String::from_utf8_lossy(&messages).lines().find_map(executable);
    Ok(Program {
        language: "Rust",
        path: path.ok_or(BenchError::State { what: "cargo does not tell what it built" })?,
        arguments: &[],
        variables: DeployedFunction::of_binary(BINARY).environment(&product_names()),
    })
}

/// The binary, where the line tells of it.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    let is_meant = message.pointer("/target/name")?.as_str()? == BINARY;
    message.get("executable")?.as_str().filter(|_| is_meant).map(PathBuf::from)
}
