//! The two functions, each run as Lambda runs it: a process of its own, a runtime API, DynamoDB over
//! HTTP.

mod building;
mod program;
mod python;
mod rust;

pub use program::{BatchLine, Program, Running};

use crate::BenchError;

/// Both functions, ready to be started.
#[derive(Debug, Clone)]
pub struct Programs {
    /// `stream-processor`.
    pub afterimage: Program,
    /// The baseline.
    pub python: Program,
}

impl Program {
    /// `stream-processor`, built as it is deployed.
    ///
    /// # Errors
    /// [`BenchError`] where it cannot be built.
    pub async fn rust() -> Result<Self, BenchError> {
        rust::build().await
    }

    /// The baseline, its packages installed where they are not.
    ///
    /// # Errors
    /// [`BenchError`] where they cannot be installed.
    pub async fn python() -> Result<Self, BenchError> {
        python::install().await?;
        python::program()
    }

    /// The baseline, where its packages are installed.
    ///
    /// # Errors
    /// [`BenchError`] where its files cannot be read.
    pub fn python_if_installed() -> Result<Option<Self>, BenchError> {
        python::is_installed()?.then(python::program).transpose()
    }
}
