//! The records of the source tables' streams, as Lambda delivers them.

use crate::world::{ALBUMS, MESSAGES};
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use afterimage_schema::Table;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use testkit::stream_record::stream_arn;

use crate::WorldError;
use crate::dynamodb::Dynamodb;
use crate::trace::key_text;
use crate::world::table_name;

/// The tables whose streams are read.
const TABLES: [Table; 2] = [ALBUMS, MESSAGES];

/// Where a stream's sequence numbers begin: just below a power of ten, so that their length changes
/// within a schedule.
const SEQUENCE_NUMBER_BASE: u128 = 100_000_000_000_000_000_000;

/// Records from one sequence number to the next length, at most.
const RECORDS_TO_LONGER_MAX: u64 = 60;

/// Records in a full page of the emulator.
const PAGE_RECORDS: usize = 1_000;

/// Sequence numbers are not consecutive.
const SEQUENCE_NUMBER_STEP: u128 = 7;

/// One record of a stream.
#[derive(Debug)]
pub struct StreamRecord {
    /// Its JSON, as Lambda delivers it.
    pub raw: Box<RawValue>,
    /// The source table.
    pub table: Table,
    /// The label of its stream.
    pub label: String,
    /// Its place in the stream.
    pub sequence_number: String,
    /// The item's key, as JSON.
    pub item_key: String,
    /// The hash of the item's partition key: the same item is always in the same lane.
    pub key_hash: u64,
    /// What a story calls it.
    pub name: String,
    /// Whether it is damaged, so that it can never be applied.
    pub is_damaged: bool,
}

/// The records of the streams so far, in the order in which they were written, table by table.
#[derive(Debug)]
pub struct Stream {
    records: Vec<StreamRecord>,
    /// Records before this one were there before the deployment.
    deployed_at: usize,
    readers: Vec<Reader>,
    /// The emulator's writes when it was last read.
    read_at: Option<u64>,
}

#[derive(Debug)]
struct Reader {
    table: Table,
    iterator: Option<String>,
    /// How often the stream was disabled and enabled again.
    generation: u32,
    first_number: u128,
    count: u128,
    /// Whether sequence numbers as integers are in the order of their texts.
    is_in_order_of_texts: bool,
}

/// Digits of the longest sequence number
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>).
const SEQUENCE_NUMBER_DIGITS_MAX: usize = 40;

impl Reader {
    fn label(&self) -> String {
        // One fraction of a second has trailing zeros, the others have not.
        format!("2026-01-{:02}T00:00:00.{}", self.generation + 1, 100 + self.generation)
    }

    fn next_sequence_number(&mut self) -> String {
        let number = self.first_number + self.count * SEQUENCE_NUMBER_STEP;
        self.count += 1;
        if self.is_in_order_of_texts {
            format!("{number:0<SEQUENCE_NUMBER_DIGITS_MAX$}")
        } else {
            number.to_string()
        }
    }
}

impl Stream {
    /// Streams that nobody has read yet; `seed` decides on their sequence numbers. As integers these are
    /// in the order of the records, or, to plant a bug, in that of their texts.
    #[must_use]
    pub fn new(seed: u64, is_in_order_of_texts: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let reader = |table| {
            let below = u128::from(random.u64(0..RECORDS_TO_LONGER_MAX)) * SEQUENCE_NUMBER_STEP;
            let first_number = SEQUENCE_NUMBER_BASE - below;
            Reader {
                table,
                iterator: None,
                generation: 0,
                first_number,
                count: 0,
                is_in_order_of_texts,
            }
        };
        Self {
            records: Vec::new(),
            deployed_at: 0,
            readers: TABLES.map(reader).into(),
            read_at: None,
        }
    }

    /// Every record so far.
    #[must_use]
    pub fn records(&self) -> &[StreamRecord] {
        &self.records
    }

    /// The records since the deployment: those that are delivered.
    #[must_use]
    pub fn delivered(&self) -> &[StreamRecord] {
        self.records.get(self.deployed_at..).unwrap_or_default()
    }

    /// The place of one of the records since the deployment; `None` where there is none.
    #[must_use]
    pub fn pick(&self, pick: usize) -> Option<usize> {
        Some(self.deployed_at + pick.checked_rem(self.delivered().len())?)
    }

    /// Whether everything was read that the emulator wrote by then.
    #[must_use]
    pub fn is_read_at(&self, write_count: u64) -> bool {
        self.read_at == Some(write_count)
    }

    /// What was read so far was there before the deployment.
    pub fn deploy(&mut self) {
        self.deployed_at = self.records.len();
    }

    /// Reads what was written since, and returns the new records' places.
    ///
    /// # Errors
    /// [`WorldError`] where the emulator's stream does not read.
    pub fn read(&mut self, dynamodb: &Dynamodb) -> Result<std::ops::Range<usize>, WorldError> {
        let first = self.records.len();
        let write_count = dynamodb.write_count();
        if self.read_at.replace(write_count) == Some(write_count) {
            return Ok(first..first);
        }
        for reader in &mut self.readers {
            let table = table_name(&reader.table);
            let iterator = match reader.iterator.take() {
                Some(iterator) => iterator,
                None => first_iterator(dynamodb, &table)?,
            };
            let mut iterator = iterator;
            loop {
                let mut page =
                    dynamodb.call("GetRecords", &json!({ "ShardIterator": iterator }))?;
                let Some(Value::Array(records)) = page.get_mut("Records").map(Value::take) else {
                    return Err(WorldError::Stream { what: "records" });
                };
                iterator = string(&page, "/NextShardIterator", "next iterator")?;
                let is_last = records.len() < PAGE_RECORDS;
                for record in records {
                    self.records.push(delivered(reader, record)?);
                }
                if is_last {
                    break;
                }
            }
            reader.iterator = Some(iterator);
        }
        Ok(first..self.records.len())
    }

    /// The table's stream is disabled and enabled again: what follows has another label, and lower
    /// sequence numbers. Whatever was written before has to have been read.
    pub fn enable_again(&mut self, table: &Table) {
        for reader in self.readers.iter_mut().filter(|reader| reader.table == *table) {
            reader.generation += 1;
            reader.count = 0;
            reader.first_number -= 10_000;
        }
    }

    /// Adds a damaged copy of a record, with a place of its own; returns the copy's place.
    pub fn damage(&mut self, place: usize) -> Option<usize> {
        let original = self.records.get(place)?;
        let mut json: Value = serde_json::from_str(original.raw.get()).ok()?;
        let reader = self.readers.iter_mut().find(|it| it.table == original.table)?;
        let sequence_number = reader.next_sequence_number();
        json["eventName"] = json!("UPSERT");
        json["dynamodb"]["SequenceNumber"] = json!(sequence_number);
        json["eventSourceARN"] = json!(stream_arn(&table_name(&reader.table), &reader.label()));
        let record = StreamRecord {
            raw: RawValue::from_string(json.to_string()).ok()?,
            table: original.table.clone(),
            label: reader.label(),
            sequence_number,
            item_key: original.item_key.clone(),
            key_hash: original.key_hash,
            name: format!("damaged copy of {}", original.name),
            is_damaged: true,
        };
        self.records.push(record);
        Some(self.records.len() - 1)
    }
}

fn first_iterator(dynamodb: &Dynamodb, table: &str) -> Result<String, WorldError> {
    let described = dynamodb.call("DescribeTable", &json!({ "TableName": table }))?;
    let arn = string(&described, "/Table/LatestStreamArn", "ARN")?;
    let stream = dynamodb.call("DescribeStream", &json!({ "StreamArn": arn }))?;
    let shard = string(&stream, "/StreamDescription/Shards/0/ShardId", "shard")?;
    let request = json!({
        "StreamArn": arn,
        "ShardId": shard,
        "ShardIteratorType": "TRIM_HORIZON",
    });
    string(&dynamodb.call("GetShardIterator", &request)?, "/ShardIterator", "iterator")
}

fn string(json: &Value, pointer: &str, what: &'static str) -> Result<String, WorldError> {
    let text = json.pointer(pointer).and_then(Value::as_str);
    text.map(str::to_owned).ok_or(WorldError::Stream { what })
}

/// The record as Lambda delivers it: with the ARN of its stream, and AWS's kind of sequence number.
fn delivered(reader: &mut Reader, mut record: Value) -> Result<StreamRecord, WorldError> {
    let sequence_number = reader.next_sequence_number();
    let label = reader.label();
    let keys = record["dynamodb"]["Keys"].clone();
    let mut hasher = DefaultHasher::new();
    for name in ["pk", "Artist"] {
        keys[name]["S"].as_str().hash(&mut hasher);
    }
    record["dynamodb"]["SequenceNumber"] = json!(sequence_number);
    record["eventID"] = json!(format!("{sequence_number:0>32}"));
    record["awsRegion"] = json!("us-east-1");
    record["eventSourceARN"] = json!(stream_arn(&table_name(&reader.table), &label));
    let event = record["eventName"].as_str().unwrap_or_default();
    let name = format!("{}@{} {event} {}", reader.generation, reader.count, key_text(&keys));
    let raw = RawValue::from_string(record.to_string())
        .map_err(|_| WorldError::Stream { what: "JSON" })?;
    Ok(StreamRecord {
        raw,
        table: reader.table.clone(),
        label,
        sequence_number,
        item_key: keys.to_string(),
        key_hash: hasher.finish(),
        name,
        is_damaged: false,
    })
}
