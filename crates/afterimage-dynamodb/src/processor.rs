//! The batch loop.

use afterimage_schema::TableNames;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::report::BatchReport;

/// A stream event as Lambda delivers it; each record is kept as raw JSON and decoded on its own.
#[derive(Debug, Deserialize)]
pub struct StreamEvent {
    /// The records, in the order of the stream.
    #[serde(rename = "Records")]
    pub records: Vec<Box<RawValue>>,
}

/// Why a processor could not be made.
#[derive(Debug, thiserror::Error)]
pub enum ProcessorError {}

/// Maintains every view of one deployment.
#[derive(Debug, Clone)]
pub struct Processor {}

impl Processor {
    /// A processor for the views in `views.toml` (`AFTERIMAGE_VIEWS` names another file).
    ///
    /// # Errors
    /// Where the views do not hold together.
    pub fn from_environment(
        _client: aws_sdk_dynamodb::Client,
        _tables: TableNames,
    ) -> Result<Self, ProcessorError> {
        Ok(Self {})
    }

    /// Applies a batch, and stops in time before the deadline.
    pub async fn process(
        &self,
        _event: &StreamEvent,
        _deadline: tokio::time::Instant,
    ) -> BatchReport {
        BatchReport::default()
    }
}
