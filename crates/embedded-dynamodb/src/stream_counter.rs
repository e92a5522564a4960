//! Counts the records of a stream, which the Streams API can only read one by one.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::RwLock;

/// What the emulator adds to the number that it keeps, to show a number of 21 digits: `SEQUENCE_NUMBER_OFFSET` in its
/// `streams.rs`.
const SHOWN_OFFSET: u128 = 100_000_000_000_000_000_000;

/// How many records one statement counts: a few milliseconds, since a table cannot be created meanwhile.
const COUNTED_AT_ONCE: u64 = 50_000;

/// How often a statement is tried again that meets another one, and when.
const ATTEMPTS: usize = 200;
const RETRY_DELAY: Duration = Duration::from_millis(5);

/// Counts by the index that `stream_records` makes, and reads no record.
pub(crate) const COUNT: &str = "SELECT COUNT(*), COALESCE(MAX(place), ?2) FROM (
    SELECT CAST(sequence_number AS INTEGER) AS place FROM _stream_records
    WHERE table_name = ?1 AND CAST(sequence_number AS INTEGER) > ?2
    ORDER BY CAST(sequence_number AS INTEGER) LIMIT ?3)";

/// Why the records of a stream could not be counted.
#[derive(Debug, thiserror::Error)]
pub enum StreamCountError {
    /// The number is not one of this emulator's.
    #[error("`{number}` is not a sequence number of the embedded DynamoDB")]
    Number {
        /// The number.
        number: String,
    },
    /// The statement failed.
    #[error("the stream records of `{table_name}` could not be counted")]
    Database {
        /// The table's real name.
        table_name: String,
        /// What the database said.
        #[source]
        source: rusqlite::Error,
    },
    /// The thread that counted is gone.
    #[error("counting the stream records ended early")]
    Ended(#[from] tokio::task::JoinError),
}

/// Counts the records of streams.
#[derive(Clone)]
pub struct StreamCounter {
    connection: Arc<Mutex<Connection>>,
    /// Read while records are counted: a table that is created meanwhile would fail as locked.
    tables: Arc<RwLock<()>>,
}

impl fmt::Debug for StreamCounter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamCounter").finish_non_exhaustive()
    }
}

impl StreamCounter {
    /// Over a database that is prepared.
    pub(crate) fn open(location: &str, tables: Arc<RwLock<()>>) -> Result<Self, rusqlite::Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_URI
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(location, flags)?;
        // Else a write to a database in memory would fail as locked while records are counted.
        connection.pragma_update(None, "read_uncommitted", true)?;
        connection.pragma_update(None, "query_only", true)?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), tables })
    }

    /// How many records the stream of a table, by its real name, has behind the record with this sequence number, or in
    /// all. It takes milliseconds for 100,000 records, and reads none.
    ///
    /// # Errors
    /// [`StreamCountError`].
    pub async fn count(
        &self,
        table_name: &str,
        after: Option<&str>,
    ) -> Result<u64, StreamCountError> {
        let mut place = after.map_or(Ok(0), kept_number)?;
        let _tables = self.tables.read().await;
        let mut sum = 0;
        loop {
            let (count, last) = self.count_some(table_name, place).await?;
            sum += count;
            place = last;
            if count < COUNTED_AT_ONCE {
                return Ok(sum);
            }
        }
    }

    /// How many records there are behind a place, at most [`COUNTED_AT_ONCE`], and the place of the last of them.
    async fn count_some(
        &self,
        table_name: &str,
        after: i64,
    ) -> Result<(u64, i64), StreamCountError> {
        let mut attempts_left = ATTEMPTS;
        loop {
            let (connection, name) = (Arc::clone(&self.connection), table_name.to_owned());
            let counted = tokio::task::spawn_blocking(move || {
                let connection = connection.lock().unwrap_or_else(PoisonError::into_inner);
                let mut statement = connection.prepare(COUNT)?;
                let parameters = (name, after, COUNTED_AT_ONCE);
                statement.query_row(parameters, |row| Ok((row.get(0)?, row.get(1)?)))
            });
            match counted.await? {
                Ok(counted) => return Ok(counted),
                Err(error) if is_locked(&error) && attempts_left > 0 => {
                    attempts_left -= 1;
                    tokio::time::sleep(RETRY_DELAY).await;
                }
                Err(source) => {
                    let table_name = table_name.to_owned();
                    return Err(StreamCountError::Database { table_name, source });
                }
            }
        }
    }
}

fn is_locked(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseLocked | ErrorCode::DatabaseBusy))
}

/// The number that the emulator keeps of one that it shows.
fn kept_number(shown: &str) -> Result<i64, StreamCountError> {
    let kept = shown.parse::<u128>().ok().and_then(|it| it.checked_sub(SHOWN_OFFSET));
    kept.and_then(|it| i64::try_from(it).ok())
        .ok_or_else(|| StreamCountError::Number { number: shown.to_owned() })
}
