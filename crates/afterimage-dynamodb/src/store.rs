//! The tables, as the engine reads and writes them.

mod read;
mod scan;
mod snapshot;
mod write;

use std::sync::Arc;

use afterimage::parked::ParkedError;
use afterimage::{Catalog, CatalogError};
use afterimage::{Item, ItemKey};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use dynamodb_client::{Meaning, meaning};

use crate::budget::Budget;
use crate::convert::ConvertError;
use crate::meter::Meter;
use crate::set_back::SetBack;

pub(crate) use scan::{Page, Scan};
pub(crate) use snapshot::SNAPSHOT_KEYS_MAX;

/// Why the tables could not be read or written, and the work has to come again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB refused, or did not answer.
    #[error("{operation} failed ({code})")]
    Service {
        /// The operation.
        operation: &'static str,
        /// What the error means for the work.
        meaning: Meaning,
        /// The service's error code, or what kind of failure it was: for people.
        code: String,
        /// The SDK's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request could not be built.
    #[error("a request could not be built")]
    Build(#[from] BuildError),
    /// An item of the service cannot be taken.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// A table is not defined.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A record cannot be made into a parked one.
    #[error(transparent)]
    Parked(#[from] ParkedError),
    /// DynamoDB answered a read without saying which items there are: that is no sign of absence.
    #[error("a read was answered without its items")]
    Answer,
    /// A parked record could not be removed.
    #[error("the parked record could not be removed, and may be tried again")]
    NotRemoved,
    /// DynamoDB does not take the item of parked rows.
    #[error("parked rows were refused: their keys may be longer than an item can hold")]
    ParkingRefused,
    /// DynamoDB does not take the registry's item.
    #[error("the registry was refused: it may be larger than an item can be")]
    RegistryRefused,
    /// The batch's time is over.
    #[error("the batch's time is over")]
    TimeOver,
    /// A commit was set back again and again.
    #[error("set back {count} times in a row: {cause}")]
    SetBack {
        /// How often the work was set back since it last got further.
        count: u32,
        /// What stood in the way the last time.
        cause: SetBack,
    },
}

/// The tables.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    pub(crate) client: Client,
    catalog: Arc<Catalog>,
}

/// The tables during one batch: within its time, and metered.
pub(crate) struct Session<'a> {
    store: &'a Store,
    pub(crate) budget: Budget,
    pub(crate) meter: Meter,
}

impl Store {
    pub(crate) fn new(client: Client, catalog: Arc<Catalog>) -> Self {
        Self { client, catalog }
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn session(&self, budget: Budget) -> Session<'_> {
        Session { store: self, budget, meter: Meter::default() }
    }
}

impl Session<'_> {
    fn key_item(&self, key: &ItemKey) -> Result<Item, StoreError> {
        Ok(key.to_item(self.store.catalog.definition(&key.table)?))
    }

    /// Tries a read until it is answered, as long as trying again can help.
    async fn retried<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        let mut backoff = self.budget.backoff();
        loop {
            let error = match self.budget.within(attempt()).await {
                None => return Err(StoreError::TimeOver),
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(error)) => error,
            };
            self.meter.retried();
            if !error.is_passing() || !backoff.wait().await {
                return Err(error);
            }
        }
    }
}

impl StoreError {
    /// Whether a table is absent.
    pub(crate) fn is_missing_table(&self) -> bool {
        matches!(self, StoreError::Service { code, .. } if code == MISSING_TABLE)
    }

    /// Whether trying again may help.
    fn is_passing(&self) -> bool {
        match self {
            StoreError::Service { meaning, .. } => meaning.is_passing(),
            StoreError::Build(_)
            | StoreError::Convert(_)
            | StoreError::Catalog(_)
            | StoreError::Parked(_)
            | StoreError::Answer
            | StoreError::NotRemoved
            | StoreError::ParkingRefused
            | StoreError::RegistryRefused
            | StoreError::TimeOver
            | StoreError::SetBack { .. } => false,
        }
    }
}

/// The code of a request to a table that is absent.
const MISSING_TABLE: &str = "ResourceNotFoundException";

pub(crate) fn service_error<E, R>(operation: &'static str, error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let meaning = meaning(&error);
    let code = match (meaning, error.as_service_error().and_then(|it| it.code())) {
        (_, Some(code)) => code,
        (Meaning::Unknown, None) => "no response",
        (_, None) => "request not sent",
    };
    let code = code.to_owned();
    StoreError::Service { operation, meaning, code, source: Box::new(error) }
}
