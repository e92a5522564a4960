//! `afterimage seed messages`.

use std::path::Path;

use crate::connection::Connection;
use crate::failure::Status;
use crate::output::Format;

/// Writes the conversations.
pub async fn run(
    _connection: &Connection,
    _format: Format,
    _file: Option<&Path>,
) -> anyhow::Result<Status> {
    Ok(Status::Done)
}
