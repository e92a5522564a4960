//! The whole product on one machine: embedded DynamoDB, stream trigger, HTTP gateway.

mod data_dir;
mod dynamodb_port;
mod seed;
mod start_error;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use afterimage::registry::{Maintained, OwnViews};
use afterimage::{View, Views};
use afterimage_dynamodb::{FileRegistration, Processor};
use afterimage_schema::{TableDefinition, TableNames};
use embedded_dynamodb::Emulator;
use time::OffsetDateTime;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::applications::Applications;
use crate::callers::Callers;
use crate::event_source_mapping::{
    CheckpointStore, OnFailure, Starvation, StreamProcessorFunction, TableMapping, Trigger,
    TriggerParts, read_settings, starved,
};
use crate::gateway::{Authorizer, Functions, Gateway, Keys, Routes, serve};
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
    /// Nowhere: it is gone with the process, keys included. On-failure records alone become files, in
    /// a temporary directory that the log names.
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
    /// Who may call the ports.
    pub callers: Callers,
    /// Where the data is kept.
    pub storage: Storage,
    /// Whether the first start writes the samples.
    pub seed: bool,
    /// Whether the streams are read.
    pub trigger: bool,
    /// The views, and the tables that they declare.
    pub views: Views,
    /// The tables' real names.
    pub names: TableNames,
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
        let own = OwnViews { views: options.views, names: options.names };
        // Before anything is made: what cannot be right is refused.
        mappings(&own.views, own.views.tables(), &own.names)?;
        let (listener, http_port) = listen(options.http_port).await?;
        let data_dir = match &options.storage {
            Storage::Memory => None,
            Storage::DataDir(path) => Some(DataDir::open(path)?),
        };
        let kept = Kept::open(data_dir.as_ref())?;
        let guard = dynamodb_port::guard(options.callers.clone());
        let started = Emulator::start_behind(guard, kept.database, options.dynamodb_port).await;
        let emulator = started.map_err(StartError::of_database)?;
        let (mappings, maintained) = register(&emulator, &own).await?;
        let client = emulator.client();
        let applications = Applications::of(&client, &own.views, &own.names)?;
        let routes = Routes::of(TEMPLATE, |function| applications.has(function));
        let routes = routes.map_err(StartError::Routes)?;
        let processor =
            Processor::new(client, own.views, own.names).map_err(StartError::Processor)?;
        // Boxed, as the largest of what is waited for.
        Box::pin(seed::seed_once(data_dir.as_ref(), options.seed, &applications)).await?;
        let outcomes = Arc::new(Outcomes::of_views(maintained.views.iter().map(View::name)));
        let registry = processor.clone();
        let parts = TriggerParts {
            mappings: mappings.clone(),
            client: emulator.streams_client(),
            function: Arc::new(StreamProcessorFunction::new(processor, Arc::clone(&outcomes))),
            checkpoints: Arc::clone(&kept.checkpoints),
            on_failure: Arc::new(kept.on_failure),
            clock: OffsetDateTime::now_utc,
        };
        let trigger = options.trigger.then(|| Trigger::start(parts));
        let status = Status {
            client: emulator.streams_client(),
            counter: emulator.stream_counter(),
            mappings,
            checkpoints: kept.checkpoints,
            counters: trigger.as_ref().map(Trigger::counters).unwrap_or_default(),
            outcomes,
            registry,
            counting: tokio::sync::Mutex::default(),
        };
        let authorizer = Authorizer::new(kept.keys);
        let functions = Functions(applications);
        let clock = OffsetDateTime::now_utc;
        let callers = options.callers;
        let gateway = Gateway { callers, routes, functions, authorizer, status, clock };
        let (stop_gateway, stopped) = oneshot::channel();
        let gateway = tokio::spawn(serve(listener, gateway, stopped));
        Ok(Self { http_port, gateway, stop_gateway, trigger, emulator, data_dir })
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

/// Listens on a port of 127.0.0.1, and tells which one it is.
async fn listen(port: u16) -> Result<(TcpListener, u16), StartError> {
    let failed = |source| StartError::Port { port, option: "--http-port", source };
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let port = listener.local_addr().map_err(failed)?.port();
    Ok((listener, port))
}

/// The mappings of these tables: those of the template, and for a table without one the settings of
/// the template's first, which are those of them all but for the filters.
fn mappings(
    views: &Views,
    tables: &[TableDefinition],
    names: &TableNames,
) -> Result<Vec<TableMapping>, StartError> {
    let of_template = read_settings(TEMPLATE).map_err(StartError::Settings)?;
    let mut settings = Vec::new();
    for definition in tables {
        let table = &definition.table;
        let own = of_template.iter().find(|it| it.table == *table).cloned();
        settings.extend(own.or_else(|| Some(of_template.first()?.for_table(table))));
    }
    if let Some(first) = starved(views, &settings).into_iter().next() {
        return Err(StartError::Starved(first));
    }
    let mappings = settings.into_iter().map(|it| TableMapping::of(it, names));
    Ok(mappings.collect::<Result<_, _>>()?)
}

/// Registers the file, and makes the tables that are absent: of the file, and of the registered views that it
/// has lost, which are maintained too. Nothing is written if the file is refused.
async fn register(
    emulator: &Emulator,
    own: &OwnViews,
) -> Result<(Vec<TableMapping>, Maintained), StartError> {
    let all = own.views.all_tables();
    emulator.check_tables(&all, &own.names).map_err(StartError::Tables)?;
    let prepared = FileRegistration::prepare(emulator.client(), own).await;
    let prepared = prepared.map_err(StartError::Register)?;
    let maintained = prepared.maintained();
    let lost = maintained.views.tables().iter();
    let lost = lost.filter(|it| !own.views.tables().iter().any(|own| own.table == it.table));
    let sources: Vec<_> = own.views.tables().iter().chain(lost).cloned().collect();
    let names = maintained.catalog.names();
    for view in maintained.views.iter() {
        check_stream(emulator, view, names.name(view.source())?)?;
    }
    let mappings = mappings(&maintained.views, &sources, names)?;
    let derived = std::iter::once(TableDefinition::derived());
    let tables: Vec<_> = sources.into_iter().chain(derived).collect();
    emulator.create_tables(&tables, names).await.map_err(StartError::Tables)?;
    prepared.register().await.map_err(|error| StartError::Register(error.into()))?;
    for view in prepared.unseen() {
        tracing::warn!(
            view,
            "the view continues on data of a version without a registry: run `afterimage verify` to see whether that data was written under this definition"
        );
    }
    for it in &maintained.differences {
        tracing::warn!(view = it.view(), difference = %it, fix = it.fix(), "the registry counts");
    }
    Ok((mappings, maintained.clone()))
}

/// A table that stands must have a stream with new images.
fn check_stream(emulator: &Emulator, view: &View, table_name: &str) -> Result<(), StartError> {
    let problem = match emulator.stream_view_type(table_name).map_err(StartError::Tables)? {
        None => return Ok(()),
        Some(None) => format!("the table `{table_name}` has no stream"),
        Some(Some(view_type)) => match view_type.as_str() {
            "NEW_IMAGE" | "NEW_AND_OLD_IMAGES" => return Ok(()),
            other => format!("the stream of the table `{table_name}` is {other}"),
        },
    };
    Err(StartError::Starved(Starvation {
        view: view.name().to_owned(),
        problem,
        fix: "give the table a stream with the view type NEW_IMAGE".to_owned(),
    }))
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
                on_failure: OnFailure::in_temporary_directory(),
                keys: Keys::generate().map_err(StartError::Keys)?,
            }),
            Some(data_dir) => {
                let checkpoints = CheckpointStore::open(data_dir.checkpoints());
                Ok(Self {
                    database: embedded_dynamodb::Storage::File(data_dir.database()),
                    checkpoints: Arc::new(checkpoints.map_err(StartError::Checkpoints)?),
                    on_failure: OnFailure::in_directory(data_dir.on_failure()),
                    keys: Keys::open(&data_dir.keys()).map_err(StartError::Keys)?,
                })
            }
        }
    }
}
