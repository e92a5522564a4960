//! Why the front has no answer.

use super::connections::ConnectionError;
use crate::stream_records::StreamRecordsError;

/// Why a request got no answer of the emulator, or not a whole one. The client gets an `InternalServerError`, and
/// the log has this.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrontError {
    /// The emulator did not answer.
    #[error(transparent)]
    Connection(#[from] ConnectionError),
    /// The stream of a new table would not keep to the rules.
    #[error(transparent)]
    StreamRecords(#[from] StreamRecordsError),
    /// The emulator's response is not JSON, or a request that it answered is not.
    #[error("a request or response that is not JSON was answered with status 200")]
    Json(#[from] serde_json::Error),
    /// The response ended early.
    #[error("a response of the embedded DynamoDB did not arrive whole")]
    Body(#[from] axum::Error),
    /// The creation of a table panicked, or the runtime ends.
    #[error("the creation of a table was broken off")]
    Creation(#[from] tokio::task::JoinError),
    /// A table could not be looked up.
    #[error("a table of the embedded DynamoDB could not be looked up")]
    Table(#[from] dynoxide::DynoxideError),
}
