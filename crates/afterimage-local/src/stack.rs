//! The whole product on one machine: embedded DynamoDB, stream trigger, HTTP gateway.

mod data_dir;
mod seed;
mod start_error;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use afterimage_dynamodb::Processor;
use afterimage_schema::TableNames;
use albums::Albums;
use embedded_dynamodb::Emulator;
use messages::Messages;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::event_source_mapping::{
    CheckpointStore, OnFailure, StreamProcessorFunction, Trigger, TriggerParts, read_settings,
};
use crate::gateway::{Authorizer, Functions, Gateway, Keys, serve};
use crate::status::{Outcomes, Status};
use crate::template::TEMPLATE;
use data_dir::DataDir;
pub use data_dir::function_log;
pub use start_error::StartError;

/// How long a shutdown waits for the HTTP requests in hand.
const GATEWAY_SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

/// Where a stack keeps its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Storage {
    /// Nowhere: it is gone with the process, on-failure records and keys included.
    Memory,
    /// In this directory, made where it is absent.
    DataDir(PathBuf),
}

/// What a stack is started with.
#[derive(Debug, Clone)]
pub struct Options {
    /// The port of the HTTP API; 0 chooses a free one.
    pub http_port: u16,
    /// The port of the DynamoDB and DynamoDB Streams APIs; 0 chooses a free one.
    pub dynamodb_port: u16,
    /// Where the data is kept.
    pub storage: Storage,
    /// Whether the first start writes the samples.
    pub seed: bool,
    /// Whether the streams are read.
    pub trigger: bool,
    /// The tables' real names.
    pub tables: TableNames,
}

/// A running stack. Dropping it stops it without waiting; nothing is lost, but records may come again.
#[derive(Debug)]
pub struct Stack {
    http_port: u16,
    gateway: JoinHandle<std::io::Result<()>>,
    stop_gateway: oneshot::Sender<()>,
    trigger: Option<Trigger>,
    emulator: Emulator,
    // Let go of last: it holds the lock.
    data_dir: Option<DataDir>,
}

impl Stack {
    /// Starts everything. When it returns, both ports answer, on 127.0.0.1 only.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running then.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let Options {
            http_port,
            dynamodb_port,
            storage,
            seed,
            trigger,
            tables,
        } = options;
        let listen = |source| StartError::Port {
            port: http_port,
            option: "--http-port",
            source,
        };
        let listener = TcpListener::bind(("127.0.0.1", http_port))
            .await
            .map_err(listen)?;
        let http_port = listener.local_addr().map_err(listen)?.port();
        let data_dir = match &storage {
            Storage::Memory => None,
            Storage::DataDir(path) => Some(DataDir::open(path)?),
        };
        let kept = Kept::open(data_dir.as_ref())?;
        let mappings = read_settings(TEMPLATE).map_err(StartError::Settings)?;
        let emulator = Emulator::start(kept.database, dynamodb_port)
            .await
            .map_err(StartError::of_database)?;
        emulator
            .create_tables(&tables)
            .map_err(StartError::Tables)?;
        let client = emulator.client();
        let processor = Processor::from_environment(client.clone(), tables.clone())
            .map_err(StartError::Processor)?;
        let functions = Functions {
            albums: Albums::new(client.clone(), tables.clone()),
            messages: Messages::new(client, tables.clone(), messages::Clock::system()),
        };
        // Boxed, as the largest of what is waited for.
        let seeding = seed::seed_once(
            data_dir.as_ref(),
            seed,
            &functions.albums,
            &functions.messages,
        );
        Box::pin(seeding).await?;
        let outcomes = Arc::new(Outcomes::default());
        let function = StreamProcessorFunction {
            processor: Arc::new(processor),
            outcomes: Arc::clone(&outcomes),
        };
        let parts = TriggerParts {
            settings: mappings.clone(),
            tables: tables.clone(),
            client: emulator.streams_client(),
            function: Arc::new(function),
            checkpoints: Arc::clone(&kept.checkpoints),
            on_failure: Arc::new(kept.on_failure),
            clock: OffsetDateTime::now_utc,
        };
        let trigger = trigger.then(|| Trigger::start(parts));
        let status = Status {
            client: emulator.streams_client(),
            tables,
            mappings,
            checkpoints: kept.checkpoints,
            records_processed: trigger
                .as_ref()
                .map(Trigger::records_processed)
                .unwrap_or_default(),
            outcomes,
        };
        let authorizer = Authorizer::new(kept.keys);
        let gateway = Gateway {
            functions,
            authorizer,
            status,
            clock: OffsetDateTime::now_utc,
        };
        let (stop_gateway, stopped) = oneshot::channel();
        let gateway = tokio::spawn(serve(listener, gateway, stopped));
        Ok(Self {
            http_port,
            gateway,
            stop_gateway,
            trigger,
            emulator,
            data_dir,
        })
    }

    /// The URL of the HTTP API.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http_port)
    }

    /// The URL of the DynamoDB and DynamoDB Streams APIs.
    #[must_use]
    pub fn dynamodb_url(&self) -> String {
        self.emulator.endpoint_url()
    }

    /// Stops listening, finishes the requests and the batches in hand, and closes the database; each
    /// for a bounded time, 30 seconds together.
    pub async fn shutdown(self) {
        // The gateway may be gone already.
        self.stop_gateway.send(()).ok();
        let mut gateway = self.gateway;
        match tokio::time::timeout(GATEWAY_SHUTDOWN_TIMEOUT, &mut gateway).await {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "gateway stopped with an error"),
            Ok(Err(error)) => tracing::warn!(%error, "gateway stopped with an error"),
            Err(_) => {
                tracing::warn!("gateway was stopped with requests in hand");
                gateway.abort();
            }
        }
        if let Some(trigger) = self.trigger {
            trigger.shutdown().await;
        }
        self.emulator.shutdown().await;
        drop(self.data_dir);
    }
}

/// What is kept between starts, or in memory.
struct Kept {
    database: embedded_dynamodb::Storage,
    checkpoints: Arc<CheckpointStore>,
    on_failure: OnFailure,
    keys: Keys,
}

impl Kept {
    fn open(data_dir: Option<&DataDir>) -> Result<Self, StartError> {
        match data_dir {
            None => Ok(Self {
                database: embedded_dynamodb::Storage::Memory,
                checkpoints: Arc::new(CheckpointStore::in_memory()),
                on_failure: OnFailure::memory(),
                keys: Keys::generate().map_err(StartError::Keys)?,
            }),
            Some(data_dir) => {
                let checkpoints = CheckpointStore::open(data_dir.checkpoints());
                Ok(Self {
                    database: embedded_dynamodb::Storage::File(data_dir.database()),
                    checkpoints: Arc::new(checkpoints.map_err(StartError::Checkpoints)?),
                    on_failure: OnFailure::Directory(data_dir.on_failure()),
                    keys: Keys::open(&data_dir.keys()).map_err(StartError::Keys)?,
                })
            }
        }
    }
}
