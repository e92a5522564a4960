//! Parked records: listed, found by their ids, and removed.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use afterimage::Catalog;
use afterimage::engine::Refusal;
use afterimage::limits::PARTITION_KEY_BYTES_MAX;
use afterimage::parked::{PARTITION_PREFIX, Stored, Summary};
use afterimage_schema::Table;
use aws_sdk_dynamodb::Client;
use tokio::time::Instant;

use crate::budget::Budget;
use crate::store::{Page, Scan, Session, Store, StoreError};

/// How long one request with its repetitions may take.
const TIME_MAX: Duration = Duration::from_secs(60);

/// How long a scan of `derived` may take.
const SCAN_TIME_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// Segments of the scan.
const SEGMENT_COUNT: u32 = 4;

/// The parked records of one deployment.
#[derive(Debug, Clone)]
pub struct ParkedRecords {
    store: Store,
}

/// How a removal ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// It is removed.
    Done,
    /// It was gone already, or was parked anew since it was read.
    Changed,
}

impl ParkedRecords {
    /// The parked records of the deployment with these tables.
    #[must_use]
    pub fn new(client: Client, catalog: Catalog) -> Self {
        Self { store: Store::new(client, Arc::new(catalog)) }
    }

    /// What every parked record's first piece tells, in the order in which they would be tried again.
    /// `derived` is read whole.
    ///
    /// # Errors
    /// [`StoreError`] where a page cannot be read.
    pub async fn summaries(&self) -> Result<Vec<Summary>, StoreError> {
        let session = self.session(SCAN_TIME_MAX);
        let scan = Scan {
            table: Table::DERIVED,
            attributes: Summary::ATTRIBUTES.map(str::to_owned).to_vec(),
            prefixes: vec![PARTITION_PREFIX.to_owned()],
            segment_count: SEGMENT_COUNT,
        };
        let summaries = Mutex::new(Vec::new());
        session
            .scan(&scan, async |page: Page| {
                let found = page.items.iter().filter_map(Summary::from_item);
                summaries.lock().unwrap_or_else(PoisonError::into_inner).extend(found);
                Ok(())
            })
            .await?;
        let mut summaries = summaries.into_inner().unwrap_or_else(PoisonError::into_inner);
        summaries.sort_by(|one, other| one.order().cmp(&other.order()));
        Ok(summaries)
    }

    /// The parked record with this id, read consistently.
    ///
    /// # Errors
    /// [`StoreError`] where it cannot be read.
    pub async fn find(&self, id: &str) -> Result<Option<Stored>, StoreError> {
        let session = self.session(TIME_MAX);
        for partition in Stored::partitions_of(id) {
            if !(1..=PARTITION_KEY_BYTES_MAX).contains(&partition.len()) {
                continue;
            }
            let stored = Stored::from_pieces(session.partition(&partition).await?);
            if let Some(found) = stored.into_iter().find(|it| it.id() == id) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Removes a parked record with its payload, on condition that it still is as it was read.
    ///
    /// # Errors
    /// [`StoreError`] where it may still be there.
    pub async fn remove(&self, stored: &Stored) -> Result<Removed, StoreError> {
        let session = self.session(TIME_MAX);
        let removal = stored.removal();
        let mut backoff = session.budget.backoff();
        loop {
            match session.commit(&removal).await? {
                Ok(()) => return Ok(Removed::Done),
                Err(Refusal::Changed(_)) => return Ok(Removed::Changed),
                Err(Refusal::Contended | Refusal::Throttled | Refusal::Unknown)
                    if backoff.wait().await => {}
                Err(
                    Refusal::Contended
                    | Refusal::Throttled
                    | Refusal::Unknown
                    | Refusal::Invalid(_),
                ) => {
                    return Err(StoreError::NotRemoved);
                }
            }
        }
    }

    fn session(&self, time_max: Duration) -> Session<'_> {
        self.store.session(Budget::until(Instant::now() + time_max))
    }
}
