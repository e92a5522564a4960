//! The embedded DynamoDB: opened, prepared, served.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use afterimage_schema::{TableDefinition, TableNames};
use dynamodb_client::{Timeouts, client_at_endpoint, settings_at_endpoint};
use dynoxide::Database;
use tokio::net::TcpListener;
use tokio::sync::{RwLock, oneshot};
use tokio::task::JoinHandle;

use crate::expiry::{self, ExpiryError};
use crate::front::{self, Front};
use crate::guard::Guard;
use crate::stream_counter::StreamCounter;
use crate::stream_records::{self, StreamRecordsError};
use crate::tables::{self, TableError};

/// How long a shutdown waits for the requests in hand.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// How long it may take. Nothing is lost on loopback: only what hangs takes this long, on a busy machine too.
pub const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    attempt: Duration::from_secs(60),
    operation: Duration::from_secs(183),
};

/// Where the data lives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// In memory, gone with the emulator.
    Memory,
    /// In an SQLite file, made where it is absent. It survives a crash at any moment: write-ahead
    /// log, synchronous commits. Two processes on one file both write: the caller takes a lock.
    File(PathBuf),
}

/// Why the embedded DynamoDB did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The port cannot be listened on.
    #[error("the DynamoDB port {port} cannot be listened on")]
    Listen {
        /// The port that was asked for.
        port: u16,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// The database did not open.
    #[error("the database {location} did not open: {reason}")]
    Open {
        /// The file.
        location: String,
        /// What the emulator said.
        reason: String,
    },
    /// The database could not be prepared.
    #[error(transparent)]
    StreamRecords(#[from] StreamRecordsError),
}

/// A running embedded DynamoDB. It serves in the Tokio runtime that started it. Dropping it stops
/// it without waiting; [`Emulator::shutdown`] finishes the requests in hand first.
pub struct Emulator {
    front: Front,
    counter: StreamCounter,
    port: u16,
    stop: oneshot::Sender<()>,
    server: JoinHandle<Result<(), String>>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Emulator").field("port", &self.port).finish_non_exhaustive()
    }
}

impl Emulator {
    /// An empty one in memory, on a free port.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn in_memory() -> Result<Self, StartError> {
        Self::start(Storage::Memory, 0).await
    }

    /// Opens the database, and serves the DynamoDB and DynamoDB Streams APIs on 127.0.0.1; port 0
    /// chooses a free one. When it returns, requests are answered.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(storage: Storage, port: u16) -> Result<Self, StartError> {
        // Boxed, so that callers keep their futures small.
        Box::pin(Self::serve(None, storage, port)).await
    }

    /// As [`Emulator::start`], but answers only the requests that the guard lets through. Nothing else listens: the
    /// guard cannot be passed by.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start_behind(
        guard: Guard,
        storage: Storage,
        port: u16,
    ) -> Result<Self, StartError> {
        Box::pin(Self::serve(Some(guard), storage, port)).await
    }

    async fn serve(guard: Option<Guard>, storage: Storage, port: u16) -> Result<Self, StartError> {
        let listen = |source| StartError::Listen { port, source };
        let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(listen)?;
        let port = listener.local_addr().map_err(listen)?.port();
        let location = match &storage {
            Storage::Memory => memory_location(),
            Storage::File(path) => file_location(path)?,
        };
        let database = Database::new(&location).map_err(|error| StartError::Open {
            location: location.clone(),
            reason: error.to_string(),
        })?;
        stream_records::prepare(&location)?;
        let tables = Arc::new(RwLock::new(()));
        let counter = StreamCounter::open(&location, Arc::clone(&tables));
        let counter = counter.map_err(StreamRecordsError::Database)?;
        let front = Front { database, location, tables, guard };
        let (stop, stopped) = oneshot::channel();
        let server = tokio::spawn(front::serve(listener, front.clone(), stopped));
        Ok(Self { front, counter, port, stop, server })
    }

    /// The URL of both APIs.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port of both APIs.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A DynamoDB client for it.
    #[must_use]
    pub fn client(&self) -> aws_sdk_dynamodb::Client {
        client_at_endpoint(&self.endpoint_url(), TIMEOUTS)
    }

    /// A DynamoDB Streams client for it.
    #[must_use]
    pub fn streams_client(&self) -> aws_sdk_dynamodbstreams::Client {
        let settings = settings_at_endpoint(&self.endpoint_url(), TIMEOUTS);
        aws_sdk_dynamodbstreams::Client::new(&settings)
    }

    /// Counts the records of its streams.
    #[must_use]
    pub fn stream_counter(&self) -> StreamCounter {
        self.counter.clone()
    }

    /// Checks that the tables which stand have the keys of their definitions.
    ///
    /// # Errors
    /// [`TableError::OtherKeys`] for the first that has others.
    pub fn check_tables(
        &self,
        definitions: &[TableDefinition],
        names: &TableNames,
    ) -> Result<(), TableError> {
        tables::missing(&self.front.database, definitions, names).map(|_| ())
    }

    /// The view type of the stream of a table that stands, by its real name: `NEW_IMAGE` and so on; `None` for a
    /// table without a stream. `Ok(None)` outside for a table that does not stand.
    ///
    /// # Errors
    /// [`TableError::Refused`] if the database cannot tell.
    pub fn stream_view_type(&self, name: &str) -> Result<Option<Option<String>>, TableError> {
        let standing = tables::standing(&self.front.database, name)?;
        Ok(standing.map(|it| it.stream_view_type.filter(|_| it.stream_enabled)))
    }

    /// Creates the tables that are absent, and returns the real names of those that it created.
    ///
    /// # Errors
    /// [`TableError`]; if a table stands with other keys, nothing was created.
    pub async fn create_tables(
        &self,
        definitions: &[TableDefinition],
        names: &TableNames,
    ) -> Result<Vec<String>, TableError> {
        let _tables = self.front.tables.write().await;
        let created = tables::create_missing(&self.front.database, definitions, names)?;
        stream_records::watch(&self.front.location)?;
        Ok(created)
    }

    /// Deletes the items that have expired, as happens twice a minute anyway, and returns how many there were.
    ///
    /// # Errors
    /// [`ExpiryError`]; what was not deleted is tried again.
    pub async fn expire_items(&self) -> Result<usize, ExpiryError> {
        expiry::sweep(&self.front.database, &self.front.tables).await
    }

    /// Stops listening, finishes the requests in hand for at most five seconds, and closes the
    /// database.
    pub async fn shutdown(self) {
        // The server may be gone already.
        self.stop.send(()).ok();
        let mut server = self.server;
        match tokio::time::timeout(SHUTDOWN_TIMEOUT, &mut server).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(reason))) => {
                tracing::warn!(reason, "embedded dynamodb stopped with an error");
            }
            Ok(Err(error)) => tracing::warn!(%error, "embedded dynamodb stopped with an error"),
            Err(_) => {
                tracing::warn!("embedded dynamodb was stopped with requests in hand");
                server.abort();
            }
        }
    }
}

/// A database in memory that a second connection of this process can open too.
fn memory_location() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("file:embedded-dynamodb-{number}?mode=memory&cache=shared")
}

/// An absolute path, so that no file name is taken for a URI.
fn file_location(path: &Path) -> Result<String, StartError> {
    let refused =
        |reason: String| StartError::Open { location: path.display().to_string(), reason };
    let absolute = std::path::absolute(path).map_err(|error| refused(error.to_string()))?;
    let text = absolute.to_str().ok_or_else(|| refused("its path is not UTF-8".to_owned()))?;
    Ok(text.to_owned())
}
