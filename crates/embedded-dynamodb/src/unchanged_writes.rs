//! Writes that change nothing make no stream record, as on AWS
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html>).
//!
//! The emulator makes a `MODIFY` record of every write to an item that exists. When it writes the record, the item is
//! overwritten, and a stream of new images does not hold the old one. So a trigger on each table of items compares the
//! item with the one that stands, before it is written, and leaves a note if they are equal. A trigger on the
//! stream records takes the note and ignores the record. Both run inside the emulator's own transaction, which writes
//! each item and then its record.

use rusqlite::Connection;

/// The table of the note, which has a row only between the two triggers, and the trigger that takes it.
pub(crate) const TAKE_NOTE: &str = "
    CREATE TABLE IF NOT EXISTS afterimage_unchanged_write (table_name TEXT NOT NULL);
    CREATE TRIGGER IF NOT EXISTS afterimage_unchanged_write_makes_no_record
    BEFORE INSERT ON _stream_records
    WHEN NEW.event_name = 'MODIFY' AND EXISTS (
      SELECT 1 FROM afterimage_unchanged_write WHERE table_name = NEW.table_name)
    BEGIN
      DELETE FROM afterimage_unchanged_write;
      SELECT RAISE(IGNORE);
    END;";

/// Makes the trigger of each table of items that has none. A table that is dropped takes its trigger with it.
///
/// # Errors
/// What SQLite says; nothing is changed then.
pub(crate) fn watch_tables(connection: &Connection) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT table_name FROM _tables")?;
    let names = statement.query_map([], |row| row.get::<_, String>(0))?;
    let triggers: String =
        names.map(|name| Ok(leave_note(&name?))).collect::<rusqlite::Result<_>>()?;
    connection.execute_batch(&format!("BEGIN IMMEDIATE; {triggers} COMMIT;"))
}

/// The trigger of one table of items.
///
/// The emulator stores numbers in their normal form and sets in order, so equal items differ in the order of names
/// only. They are as long as each other, and each value of one stands at the same path in the other. The lengths are
/// compared first, since most writes end there.
fn leave_note(table_name: &str) -> String {
    let text = table_name.replace('\'', "''");
    let name = table_name.replace('"', "\"\"");
    format!(
        "CREATE TRIGGER IF NOT EXISTS \"{name}::afterimage_unchanged_write\"
         BEFORE INSERT ON \"{name}\"
         WHEN (SELECT stream_enabled FROM _tables WHERE table_name = '{text}')
         BEGIN
           DELETE FROM afterimage_unchanged_write;
           INSERT INTO afterimage_unchanged_write
           SELECT '{text}' FROM \"{name}\" AS standing
           WHERE standing.pk = NEW.pk AND standing.sk = NEW.sk
             AND CASE WHEN length(standing.item_json) = length(NEW.item_json) THEN NOT EXISTS (
               SELECT fullkey, type, atom FROM json_tree(NEW.item_json)
               EXCEPT SELECT fullkey, type, atom FROM json_tree(standing.item_json)) END;
         END;"
    )
}
