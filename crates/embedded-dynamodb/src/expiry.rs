//! Items expire: the emulator deletes them only when it is asked to.

use std::sync::Arc;
use std::time::Duration;

use dynoxide::Database;
use tokio::sync::RwLock;

/// How long after one sweep the next one begins. AWS deletes within days
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/TTL.html>); who watches a stream locally does not
/// wait for that.
const SWEEP_INTERVAL: Duration = Duration::from_secs(30);

/// Why expired items could not be deleted. They are tried again by the next sweep.
#[derive(Debug, thiserror::Error)]
#[error("expired items could not be deleted: {reason}")]
pub struct ExpiryError {
    /// What the emulator, or the runtime, said.
    reason: String,
}

/// Deletes the items that have expired, and returns how many there were. The stream record of each has the
/// `userIdentity` of the service, as on AWS. `tables` is held meanwhile.
pub(crate) async fn sweep(
    database: &Database,
    tables: &Arc<RwLock<()>>,
) -> Result<usize, ExpiryError> {
    let _tables = tables.read().await;
    let database = database.clone();
    let swept = tokio::task::spawn_blocking(move || {
        database.sweep_ttl().map_err(|error| error.to_string())
    });
    let swept = swept.await.map_err(|error| error.to_string()).and_then(|swept| swept);
    swept.map_err(|reason| ExpiryError { reason })
}

/// Sweeps again and again, until it is dropped.
pub(crate) async fn sweep_repeatedly(database: Database, tables: Arc<RwLock<()>>) {
    loop {
        tokio::time::sleep(SWEEP_INTERVAL).await;
        match sweep(&database, &tables).await {
            Ok(0) => {}
            Ok(count) => tracing::debug!(count, "expired items deleted"),
            Err(error) => tracing::warn!(%error, "expired items were not deleted"),
        }
    }
}
