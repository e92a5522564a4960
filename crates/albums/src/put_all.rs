//! Writing many albums.

use std::time::Duration;

use aws_sdk_dynamodb::types::{PutRequest, WriteRequest};
use dynamodb_client::Backoff;
use http_api::{StoreError, store_error};

use crate::{Album, Albums};

/// The most puts in one `BatchWriteItem`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const BATCH_ITEMS_MAX: usize = 25;

/// The longest wait before the first repetition; it doubles with every further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait: the eight take 13 seconds at most.
const LONGEST_WAIT: Duration = Duration::from_millis(6_400);

/// How often what a batch left unprocessed is sent again.
const REPETITIONS_MAX: u32 = 8;

/// Why not all albums were written. Those reported before are; all of them may be put again.
#[derive(Debug, thiserror::Error)]
pub enum PutAllError {
    /// The table takes no more for now.
    #[error(
        "the table was throttled for too long; {written} albums are written, put all of them again"
    )]
    Throttled {
        /// How many albums were written.
        written: usize,
    },
    /// DynamoDB refused a batch.
    #[error("{written} albums are written, then the store failed")]
    Store {
        /// How many albums were written.
        written: usize,
        /// What the store said.
        #[source]
        source: StoreError,
    },
}

/// Puts albums, each replacing what has its key. `progress` is told how many are written so far;
/// the same number is returned at the end.
///
/// The keys must differ, as those of an import do.
///
/// # Errors
/// [`PutAllError`].
pub async fn put_all(
    albums: &Albums,
    items: &[Album],
    mut progress: impl FnMut(usize),
) -> Result<usize, PutAllError> {
    let mut written = 0;
    for batch in items.chunks(BATCH_ITEMS_MAX) {
        let mut left = requests(batch).map_err(|source| PutAllError::Store { written, source })?;
        let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, REPETITIONS_MAX);
        loop {
            let sent = left.len();
            left = write(albums, left)
                .await
                .map_err(|source| PutAllError::Store { written, source })?;
            written += sent.saturating_sub(left.len());
            progress(written);
            if left.is_empty() {
                break;
            }
            if !backoff.wait().await {
                return Err(PutAllError::Throttled { written });
            }
        }
    }
    Ok(written)
}

fn requests(batch: &[Album]) -> Result<Vec<WriteRequest>, StoreError> {
    batch
        .iter()
        .map(|album| {
            let put = PutRequest::builder().set_item(Some(album.item()?)).build();
            let put = put.map_err(|error| StoreError::Failed {
                operation: "building a put request",
                source: Box::new(error),
            })?;
            Ok(WriteRequest::builder().put_request(put).build())
        })
        .collect()
}

/// Sends a batch, and returns what was left unprocessed.
async fn write(
    albums: &Albums,
    requests: Vec<WriteRequest>,
) -> Result<Vec<WriteRequest>, StoreError> {
    let table = albums.table();
    let done = albums
        .client
        .batch_write_item()
        .request_items(table, requests)
        .send()
        .await
        .map_err(|error| store_error("BatchWriteItem of albums", error))?;
    Ok(done.unprocessed_items.unwrap_or_default().remove(table).unwrap_or_default())
}
