//! Why a stack did not start.

use std::path::PathBuf;

use crate::event_source_mapping::{CheckpointError, SettingsError, Starvation};
use crate::gateway::{KeyError, RoutesError};

/// Why a stack did not start. Each sentence says what to do next.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another process holds the data dir.
    #[error(
        "the data dir {path} is in use by another `afterimage up`; stop that one, or choose another with --data-dir"
    )]
    DataDirInUse {
        /// The data dir.
        path: PathBuf,
    },
    /// The data dir cannot be made or written to.
    #[error(
        "the data dir {path} cannot be used; check its permissions, or choose another with --data-dir, or none with --in-memory"
    )]
    DataDirUnusable {
        /// The data dir.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A port is taken, or not allowed.
    #[error(
        "the port {port} cannot be listened on; stop what uses it, or choose another with {option} (0 takes a free one)"
    )]
    Port {
        /// The port.
        port: u16,
        /// The option that chooses it.
        option: &'static str,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The embedded DynamoDB did not start.
    #[error(
        "the embedded DynamoDB did not start; with a damaged data dir, move it away and start again"
    )]
    Database(#[source] embedded_dynamodb::StartError),
    /// A table could not be made, or stands with other keys.
    #[error("the tables could not be made")]
    Tables(#[source] embedded_dynamodb::TableError),
    /// The product's own views, which tell its applications' tables, do not hold together.
    #[error("the views that are compiled in do not hold together")]
    Views(#[source] afterimage::ViewsError),
    /// A table has no usable real name.
    #[error(transparent)]
    Names(#[from] afterimage_schema::TableNameError),
    /// A mapping would starve a view.
    #[error("a view would count wrong")]
    Starved(#[source] Starvation),
    /// The routes of the template do not hold.
    #[error("the routes could not be read")]
    Routes(#[source] RoutesError),
    /// The samples could not be written.
    #[error(
        "the sample data could not be written; start again to go on, or with --no-seed to do without"
    )]
    Seed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The mappings of the template do not hold.
    #[error("the event source mappings could not be read")]
    Settings(#[source] SettingsError),
    /// The checkpoints could not be read.
    #[error("the checkpoints could not be read")]
    Checkpoints(#[source] CheckpointError),
    /// The keys could not be made or read.
    #[error("the keys of the tokens could not be made or read")]
    Keys(#[source] KeyError),
    /// The views of the file are not what is registered, or cannot be registered.
    #[error("the views cannot be maintained")]
    Register(#[source] afterimage_dynamodb::RegisterError),
    /// The views do not hold.
    #[error("the stream processor could not be made")]
    Processor(#[source] afterimage_dynamodb::ProcessorError),
}

impl StartError {
    /// The exit code that tells the kind: 3 data dir in use, 4 data dir unusable, 5 port, else 1.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        match self {
            StartError::DataDirInUse { .. } => 3,
            StartError::DataDirUnusable { .. } => 4,
            StartError::Port { .. } => 5,
            StartError::Database(_)
            | StartError::Tables(_)
            | StartError::Views(_)
            | StartError::Names(_)
            | StartError::Starved(_)
            | StartError::Routes(_)
            | StartError::Seed(_)
            | StartError::Settings(_)
            | StartError::Checkpoints(_)
            | StartError::Keys(_)
            | StartError::Register(_)
            | StartError::Processor(_) => 1,
        }
    }

    /// What the embedded DynamoDB's start says, with the option that chooses its port.
    pub(super) fn of_database(error: embedded_dynamodb::StartError) -> Self {
        match error {
            embedded_dynamodb::StartError::Listen { port, source } => {
                StartError::Port { port, option: "--dynamodb-port", source }
            }
            error @ (embedded_dynamodb::StartError::Open { .. }
            | embedded_dynamodb::StartError::StreamRecords(_)) => StartError::Database(error),
        }
    }
}
