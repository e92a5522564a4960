use dynoxide::Database;
use rusqlite::{Connection, StatementStatus};
use serde_json::json;

use super::{RETENTION_SECS, check_columns, prepare};
use crate::stream_counter::StreamCounter;

/// As the emulator writes it: `Storage::next_stream_sequence_number`.
const NEWEST: &str = "SELECT COALESCE(MAX(CAST(sequence_number AS INTEGER)), 0) + 1 FROM _stream_records WHERE table_name = ?1";
/// As the emulator writes it: `Storage::stream_records_with_event_ids`.
const PAGE: &str = "SELECT event_name FROM _stream_records
    WHERE table_name = ?1 AND shard_id = 's' AND CAST(sequence_number AS INTEGER) > 1
    ORDER BY CAST(sequence_number AS INTEGER) ASC LIMIT 10";

struct Fixture {
    database: Database,
    connection: Connection,
    _directory: tempfile::TempDir,
}

fn fixture() -> Fixture {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let path = directory.path().join("database.sqlite");
    let path = path.to_str().expect("a UTF-8 path");
    let database = Database::new(path).expect("a database");
    prepare(path).expect("prepared");
    prepare(path).expect("prepared again");
    let table = json!({
        "TableName": "things", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "id", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "id", "KeyType": "HASH" }],
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" },
    });
    database.create_table(serde_json::from_value(table).expect("a request")).expect("a table");
    let connection = Connection::open(path).expect("a second connection");
    Fixture { database, connection, _directory: directory }
}

impl Fixture {
    fn put(&self, id: &str) {
        let put = json!({ "TableName": "things", "Item": { "id": { "S": id } } });
        self.database.put_item(serde_json::from_value(put).expect("a request")).expect("put");
    }

    fn fill(&self, record_count: u32, age_secs: u32) {
        self.connection
            .execute(
                "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                 INSERT INTO _stream_records
                   (table_name, event_name, keys_json, sequence_number, shard_id, created_at)
                 SELECT 'things', 'INSERT', '{}', i, 'shardId-00000001-things', unixepoch() - ?2
                 FROM n",
                [record_count, age_secs],
            )
            .expect("filled");
    }

    fn record_count(&self) -> u32 {
        self.connection
            .query_row("SELECT COUNT(*) FROM _stream_records", [], |row| row.get(0))
            .expect("a count")
    }

    fn newest(&self) -> i64 {
        self.connection.query_row(NEWEST, ["things"], |row| row.get(0)).expect("a number")
    }

    /// How many steps SQLite takes for the question that the emulator asks at every write.
    fn steps(&self) -> i32 {
        let mut statement = self.connection.prepare(NEWEST).expect("a statement");
        statement.query_row(["things"], |row| row.get::<_, i64>(0)).expect("a number");
        statement.get_status(StatementStatus::VmStep)
    }

    fn get_records(&self, iterator_type: &str, after: Option<&str>) -> Vec<String> {
        let streams = self.database.list_streams(Default::default()).expect("streams");
        let request = json!({
            "StreamArn": streams.streams[0].stream_arn, "ShardId": "shardId-00000001-things",
            "ShardIteratorType": iterator_type, "SequenceNumber": after,
        });
        let request = serde_json::from_value(request).expect("a request");
        let iterator = self.database.get_shard_iterator(request).expect("an iterator");
        let request = json!({ "ShardIterator": iterator.shard_iterator });
        let page = self.database.get_records(serde_json::from_value(request).expect("a request"));
        page.expect("a page").records.into_iter().map(|it| it.dynamodb.sequence_number).collect()
    }
}

#[test]
fn the_emulator_keeps_stream_records_as_this_module_expects() {
    let fixture = fixture();
    assert!(check_columns(&fixture.connection).is_ok());
    fixture.connection.execute_batch("DROP TRIGGER afterimage_stream_records_trim").expect("drop");
    fixture
        .connection
        .execute_batch("ALTER TABLE _stream_records RENAME COLUMN created_at TO made_at")
        .expect("renamed");
    let error = check_columns(&fixture.connection).expect_err("a column is missing");
    assert!(error.to_string().contains("`created_at`"), "{error}");
}

/// As the emulator writes it: `Storage::get_shard_sequence_range`.
const RANGE: &str = "SELECT MIN(CAST(sequence_number AS INTEGER)), MAX(CAST(sequence_number AS INTEGER)) FROM _stream_records WHERE table_name = ?1 AND shard_id = 's'";

#[test]
fn what_is_asked_of_all_records_reads_none_of_them() {
    let fixture = fixture();
    let count = crate::stream_counter::COUNT.replace("?2", "5").replace("?3", "9");
    for query in [RANGE, &count] {
        let query = format!("EXPLAIN QUERY PLAN {query}");
        let mut statement = fixture.connection.prepare(&query).expect("a statement");
        let steps = statement.query_map(["things"], |row| row.get::<_, String>(3)).expect("a plan");
        let plan = steps.collect::<Result<Vec<_>, _>>().expect("steps").join("\n");
        let index = "USING COVERING INDEX afterimage_stream_records_places";
        assert!(plan.contains(index) && !plan.contains("TEMP B-TREE"), "{plan}");
    }
}

#[test]
fn the_index_of_an_earlier_version_is_replaced() {
    let fixture = fixture();
    let earlier = "CREATE INDEX afterimage_stream_records_order
        ON _stream_records (table_name, CAST(sequence_number AS INTEGER))";
    fixture.connection.execute_batch(earlier).expect("made");
    prepare(fixture.connection.path().expect("a file")).expect("prepared");
    let names = "SELECT group_concat(name) FROM pragma_index_list('_stream_records')";
    let names: String = fixture.connection.query_row(names, [], |row| row.get(0)).expect("names");
    assert_eq!(names, "afterimage_stream_records_places");
}

#[tokio::test]
async fn records_are_counted_behind_any_of_them() {
    let fixture = fixture();
    let path = fixture.connection.path().expect("a file");
    let counter = StreamCounter::open(path, std::sync::Arc::default()).expect("opened");
    let count = async |after: Option<&str>| counter.count("things", after).await.expect("counted");
    assert_eq!(count(None).await, 0);
    for id in ["a", "b", "c"] {
        fixture.put(id);
    }
    let numbers = fixture.get_records("TRIM_HORIZON", None);
    assert_eq!(count(None).await, 3);
    for (index, number) in numbers.iter().enumerate() {
        assert_eq!(count(Some(number)).await, 2 - index as u64);
    }
    assert_eq!(counter.count("others", None).await.expect("counted"), 0);
    // More than one statement counts.
    fixture.fill(120_000, 0);
    assert_eq!(count(None).await, 120_003);
    assert_eq!(count(numbers.last().map(String::as_str)).await, 0);
    let error = counter.count("things", Some("7")).await.expect_err("not a number of the emulator");
    assert_eq!(error.to_string(), "`7` is not a sequence number of the embedded DynamoDB");
}

#[test]
fn a_write_costs_the_same_whatever_the_number_of_stream_records() {
    let fixture = fixture();
    for query in [NEWEST, PAGE] {
        let plan: String = fixture
            .connection
            .query_row(&format!("EXPLAIN QUERY PLAN {query}"), ["things"], |row| row.get(3))
            .expect("a plan");
        assert!(plan.contains("INDEX afterimage_stream_records_places (table_name=?"), "{plan}");
    }
    fixture.fill(10, 0);
    let steps_before = fixture.steps();
    fixture.fill(20_000, 0);
    assert_eq!(fixture.steps(), steps_before);
}

#[test]
fn old_records_go_as_new_ones_arrive_and_the_newest_stays() {
    let fixture = fixture();
    fixture.put("first");
    assert_eq!(fixture.record_count(), 1);
    fixture.connection.execute_batch("DELETE FROM _stream_records").expect("emptied");
    fixture.fill(250, RETENTION_SECS + 60);
    for (expected, id) in [(151, "a"), (52, "b"), (3, "c"), (4, "d")] {
        fixture.put(id);
        assert_eq!(fixture.record_count(), expected);
    }
    let newest = fixture.newest();
    fixture.put("e");
    assert!(fixture.newest() > newest);
}

#[test]
fn iterators_go_on_over_a_trimmed_shard() {
    let fixture = fixture();
    fixture.put("old");
    let trimmed = fixture.get_records("TRIM_HORIZON", None);
    fixture
        .connection
        .execute("UPDATE _stream_records SET created_at = created_at - ?1", [RETENTION_SECS + 60])
        .expect("aged");
    fixture.put("new");
    let kept = fixture.get_records("TRIM_HORIZON", None);
    assert_eq!((trimmed.len(), kept.len()), (1, 1));
    assert!(kept > trimmed);
    assert_eq!(
        fixture.get_records("AFTER_SEQUENCE_NUMBER", trimmed.first().map(String::as_str)),
        kept
    );
}

#[test]
fn the_stream_of_a_table_made_again_begins_empty() {
    let fixture = fixture();
    fixture.put("old");
    let delete = json!({ "TableName": "things" });
    let delete = serde_json::from_value(delete).expect("a request");
    fixture.database.delete_table(delete).expect("deleted");
    assert_eq!(fixture.record_count(), 0);
}
