//! Keeps the emulator's stream records quick to write and bounded in time.
//!
//! The emulator looks for the greatest sequence number of a table at every write, without an index,
//! and never removes a record. Both cures live in its SQLite database, made through a second
//! connection that is closed before the emulator serves: an index, and triggers that remove old
//! records as new ones arrive. Those of `unchanged_writes` are made in the same way. A trigger runs inside the emulator's own transactions; a second
//! connection that deleted beside it would make writes to a database in memory fail as locked.

use rusqlite::Connection;

use crate::unchanged_writes::{TAKE_NOTE, watch_tables};

/// How long a stream keeps its records: 24 hours
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>).
const RETENTION_SECS: u32 = 24 * 60 * 60;

/// The columns that the index and the triggers rest on.
const COLUMNS: [&str; 6] =
    ["id", "table_name", "event_name", "sequence_number", "shard_id", "created_at"];

/// Why the cures could not be put in place.
#[derive(Debug, thiserror::Error)]
pub enum StreamRecordsError {
    /// The emulator keeps its stream records in another way than this module knows.
    #[error(
        "the embedded DynamoDB has no column `{column}` in its table of stream records; use the version that Cargo.lock names"
    )]
    SchemaChanged {
        /// The first column that is missing.
        column: &'static str,
    },
    /// The second connection failed.
    #[error("the index and the trigger of the stream records could not be made")]
    Database(#[from] rusqlite::Error),
}

/// Makes the index and the triggers, where they are not there yet.
///
/// The index has all that the emulator asks of a shard before it reads records: its first and its last number, and their
/// count. An earlier version's lacked the shard.
///
/// Two triggers see to it that a new stream begins empty, also where its table had another before;
/// the emulator tells records by the table's name alone. The third removes, at every write, up to 100 records of the same table that are older than
/// 24 hours: far more than one arrives, so a backlog goes quickly, and a write stays bounded. The
/// record being written always stays, so that sequence numbers never begin anew. Records of a table
/// that is not written to stay, as a stream on AWS may also keep them longer.
///
/// # Errors
/// [`StreamRecordsError`]; nothing is changed then.
pub(crate) fn prepare(location: &str) -> Result<(), StreamRecordsError> {
    let connection = Connection::open(location)?;
    check_columns(&connection)?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         DROP INDEX IF EXISTS afterimage_stream_records_order;
         CREATE INDEX IF NOT EXISTS afterimage_stream_records_places
         ON _stream_records (table_name, CAST(sequence_number AS INTEGER), shard_id);
         CREATE TRIGGER IF NOT EXISTS afterimage_stream_records_trim
         AFTER INSERT ON _stream_records
         WHEN (SELECT created_at FROM _stream_records WHERE table_name = NEW.table_name
               ORDER BY CAST(sequence_number AS INTEGER) LIMIT 1)
              < NEW.created_at - {RETENTION_SECS}
         BEGIN
           DELETE FROM _stream_records WHERE id IN (
             SELECT id FROM _stream_records WHERE table_name = NEW.table_name
             ORDER BY CAST(sequence_number AS INTEGER) LIMIT 100)
           AND created_at < NEW.created_at - {RETENTION_SECS};
         END;
         CREATE TRIGGER IF NOT EXISTS afterimage_stream_records_table_deleted
         AFTER DELETE ON _tables
         BEGIN DELETE FROM _stream_records WHERE table_name = OLD.table_name; END;
         CREATE TRIGGER IF NOT EXISTS afterimage_stream_records_stream_replaced
         AFTER UPDATE OF stream_label ON _tables WHEN OLD.stream_label IS NOT NEW.stream_label
         BEGIN DELETE FROM _stream_records WHERE table_name = NEW.table_name; END;
         {TAKE_NOTE}
         COMMIT;"
    ))?;
    watch_tables(&connection)?;
    Ok(())
}

/// Makes what is still missing for tables that have been created since. Nothing else may use a database in memory
/// meanwhile: it would fail as locked.
///
/// # Errors
/// [`StreamRecordsError`]; nothing is changed then.
pub(crate) fn watch(location: &str) -> Result<(), StreamRecordsError> {
    watch_tables(&Connection::open(location)?)?;
    Ok(())
}

fn check_columns(connection: &Connection) -> Result<(), StreamRecordsError> {
    let mut statement =
        connection.prepare("SELECT name FROM pragma_table_info('_stream_records')")?;
    let found: Vec<String> =
        statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    match COLUMNS.into_iter().find(|column| !found.iter().any(|name| name == column)) {
        Some(column) => Err(StreamRecordsError::SchemaChanged { column }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
