//! `afterimage up`.
use crate::failure::Status;
use clap::Args;
/// The arguments of `up`.
#[derive(Debug, Args)]
pub struct UpArguments {}
/// Runs it.
pub async fn run(_arguments: UpArguments) -> anyhow::Result<Status> {
    Ok(Status::Done)
}
