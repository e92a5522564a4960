//! A log group of CloudWatch Logs, as it is read.

#[cfg(feature = "aws")]
mod reading;
#[cfg(any(test, not(feature = "aws")))]
mod without_aws;

use std::env::VarError;

use anyhow::Context as _;

use crate::failure::Failure;

#[cfg(feature = "aws")]
pub use reading::LogGroup;
#[cfg(not(feature = "aws"))]
pub use without_aws::LogGroup;

/// The environment variable that stands for `--log-group`.
const VARIABLE: &str = "PROCESSOR_LOG_GROUP";

/// What to do where no log group is named.
pub const NEXT: &str =
    "give --log-group, or PROCESSOR_LOG_GROUP: the deployed stack's output ProcessorLogGroup";

/// The name of the log group that is meant, where one is.
pub fn name(given: Option<&str>) -> anyhow::Result<Option<String>> {
    match (given, std::env::var(VARIABLE)) {
        (Some(name), _) => Ok(Some(name.to_owned())),
        (None, Ok(name)) if !name.is_empty() => Ok(Some(name)),
        (None, Ok(_) | Err(VarError::NotPresent)) => Ok(None),
        (None, Err(error)) => Err(error).context(VARIABLE),
    }
}

/// An event of a log group.
pub struct LogEvent {
    pub message: Option<String>,
    /// Milliseconds since 1970.
    pub at_ms: Option<i64>,
    pub log_stream: Option<String>,
}

/// Why the events could not be read.
pub enum ReadError {
    /// CloudWatch is asked too often; later it answers.
    Throttled(Failure),
    /// The network, or CloudWatch itself, is at fault; later it may answer.
    Passing(Failure),
    /// Anything else.
    Other(anyhow::Error),
}

impl From<ReadError> for anyhow::Error {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::Throttled(failure) | ReadError::Passing(failure) => failure.into(),
            ReadError::Other(error) => error,
        }
    }
}
