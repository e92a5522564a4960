//! Why the benchmark stopped.

use std::error::Error;

/// Why the benchmark stopped.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// The embedded DynamoDB did not start, or refused a request.
    #[error("the embedded DynamoDB failed")]
    Engine(#[source] Box<dyn Error + Send + Sync>),
    /// A program that the benchmark needs could not be run.
    #[error("`{program}` could not be run: is it installed?")]
    Program {
        /// The program.
        program: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A program that the benchmark needs failed.
    #[error("`{program}` failed, with its reason above")]
    Failed {
        /// The program.
        program: String,
    },
    /// A file could not be read or written.
    #[error("{path} could not be read or written")]
    File {
        /// The file, from the repository's root.
        path: String,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// A function reported an error.
    #[error("the {language} function failed: {message}")]
    Function {
        /// Its language.
        language: &'static str,
        /// What it reported.
        message: String,
    },
    /// Records failed that must not.
    #[error("{failed_count} records of the workload `{workload}` failed in {subject}")]
    Records {
        /// The workload.
        workload: &'static str,
        /// What ran it.
        subject: &'static str,
        /// How many.
        failed_count: usize,
    },
    /// The processor could not be made.
    #[error(transparent)]
    Processor(#[from] afterimage_dynamodb::ProcessorError),
    /// JSON that is not what it should be.
    #[error("JSON is not what it should be")]
    Json(#[from] serde_json::Error),
    /// Something is not as it was left.
    #[error("{what}")]
    State {
        /// What.
        what: &'static str,
    },
}

impl BenchError {
    /// An error of the engine or its client.
    pub fn engine(error: impl Error + Send + Sync + 'static) -> Self {
        Self::Engine(Box::new(error))
    }
}
