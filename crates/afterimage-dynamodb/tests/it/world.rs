//! A deployment: tables, their streams, a processor, and the fold to compare with.

use std::collections::BTreeMap;
use std::time::Duration;

use afterimage::attribute_value::item_from_json;
use afterimage::registry::OwnViews;
use afterimage::{Item, Outcome, Views};
use afterimage_dynamodb::{BatchReport, FileRegistration, Processor, RegisterError, StreamEvent};
use afterimage_schema::{Table, TableNames};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue as SdkValue;
use aws_sdk_dynamodbstreams::types::AttributeValue as StreamValue;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use serde_json::{Value, json};
use testkit::dynamodb::TestDynamoDb;
use testkit::oracle::{GroundState, Oracle};
use testkit::stream_record::StreamRecord;
use tokio::time::Instant;

use crate::faults::{Faults, faulty_client};

/// The tables of the product.
pub const ALBUMS: Table = Table::literal("albums");
pub const MESSAGES: Table = Table::literal("messages");

/// Their sections of a views file.
pub const TABLES: &str = r#"
[table.albums]
partition_key = "Artist"
sort_key = "Album"
index.genre-index = { partition_key = "Genre" }

[table.messages]
partition_key = "pk"
sort_key = "sk"
index.message-group-sk-index = { partition_key = "message_group_uuid", sort_key = "sk", projection = "KEYS_ONLY" }
"#;

/// Registers views as `up` does.
pub async fn register(
    client: &Client,
    views: &Views,
    names: &TableNames,
) -> Result<(), RegisterError> {
    let own = OwnViews { views: views.clone(), names: names.clone() };
    Ok(FileRegistration::prepare(client.clone(), &own).await?.register().await?)
}

/// The product's own views.
const VIEWS: &str = include_str!("../../../../views.toml");

fn oracle(views: &str) -> Oracle {
    Oracle::read(views).expect("views that the oracle knows")
}

/// Time enough for any batch on any engine: no test waits for its end.
const TIME_OF_INVOCATION: Duration = Duration::from_secs(600);

pub struct World {
    pub dynamodb: TestDynamoDb,
    pub client: Client,
    pub processor: Processor,
    oracle: Oracle,
    /// The number of the record of each stream that was taken last.
    taken: BTreeMap<Table, String>,
}

impl World {
    pub async fn new() -> Self {
        let dynamodb = TestDynamoDb::start().await;
        let client = dynamodb.client();
        Self::with_client(dynamodb, client).await
    }

    /// A world whose processor's transactions meet a script of faults.
    pub async fn with_faults() -> (Self, Faults) {
        let dynamodb = TestDynamoDb::start().await;
        let (client, faults) = faulty_client(&dynamodb.client());
        (Self::with_client(dynamodb, client).await, faults)
    }

    /// A world whose processor talks through this client.
    async fn with_client(dynamodb: TestDynamoDb, processor_client: Client) -> Self {
        let views = Views::parse(VIEWS).expect("views");
        let names = dynamodb.names().clone();
        let client = dynamodb.client();
        register(&client, &views, &names).await.expect("registered");
        let processor = Processor::new(processor_client, views, names).expect("one");
        Self { dynamodb, client, processor, oracle: oracle(VIEWS), taken: BTreeMap::new() }
    }

    /// The real name of a table.
    pub fn name(&self, table: &Table) -> &str {
        self.dynamodb.name(table)
    }

    /// The same tables, with other views in a registry of their own.
    pub async fn use_views(&mut self, text: &str) {
        let key = json!({"pk": {"S": "registry"}, "sk": {"S": "views"}});
        self.delete(Table::DERIVED, key).await;
        self.use_settings(text).await;
    }

    /// The same views, with other settings.
    pub async fn use_settings(&mut self, text: &str) {
        let text = if text.contains("[table.") { text.to_owned() } else { [TABLES, text].concat() };
        let views = Views::parse(&text).expect("views");
        self.oracle = oracle(&text);
        let names = self.dynamodb.names().clone();
        register(&self.client, &views, &names).await.expect("registered");
        self.processor = Processor::new(self.client.clone(), views, names).expect("one");
    }

    pub async fn put(&self, table: Table, item: Value) {
        let put = self.client.put_item().table_name(self.name(&table));
        put.set_item(Some(to_sdk(&item))).send().await.expect("a put");
    }

    pub async fn delete(&self, table: Table, key: Value) {
        let delete = self.client.delete_item().table_name(self.name(&table));
        delete.set_key(Some(to_sdk(&key))).send().await.expect("a delete");
    }

    /// Every item of a table but those of the registry, in the order of their text.
    pub async fn dump(&self, table: Table) -> Vec<Item> {
        let items = self.raw_items(table).await.into_iter();
        let items = items.filter(|item| item["pk"]["S"] != "registry");
        items.map(|item| item_from_json("item", item).expect("an item")).collect()
    }

    /// Every item of a table as JSON, as DynamoDB has it, in the order of their text.
    async fn raw_items(&self, table: Table) -> Vec<Value> {
        let mut pages =
            self.client.scan().table_name(self.name(&table)).into_paginator().items().send();
        let mut items = Vec::new();
        while let Some(item) = pages.next().await {
            items.push(json_of_item(&item.expect("a page")));
        }
        items.sort_by_key(ToString::to_string);
        items
    }

    /// The records of a table's stream that were not taken yet, as Lambda delivers them.
    pub async fn records(&mut self, table: Table) -> Vec<Value> {
        let streams = self.dynamodb.streams_client();
        let described = self.client.describe_table().table_name(self.name(&table)).send().await;
        let arn = described.expect("a table").table.and_then(|it| it.latest_stream_arn);
        let arn = arn.expect("a stream");
        let stream = streams.describe_stream().stream_arn(&arn).send().await;
        let shards = stream.expect("a stream").stream_description.expect("it").shards;
        let shard = shards.expect("shards")[0].shard_id.clone().expect("an id");
        let iterator = streams.get_shard_iterator().stream_arn(&arn).shard_id(shard);
        let iterator = match self.taken.get(&table) {
            None => iterator.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Some(number) => iterator
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(number),
        };
        let mut iterator = iterator.send().await.expect("an iterator").shard_iterator;
        let mut records = Vec::new();
        while let Some(current) = iterator {
            let page = streams.get_records().shard_iterator(current).send().await.expect("a page");
            records.extend(page.records().iter().map(|record| event_record(&table, record)));
            iterator =
                page.next_shard_iterator.filter(|_| !page.records.unwrap_or_default().is_empty());
        }
        if let Some(number) =
            records.last().and_then(|it| it["dynamodb"]["SequenceNumber"].as_str())
        {
            self.taken.insert(table, number.to_owned());
        }
        records
    }

    /// One invocation with these records.
    pub async fn deliver(&self, records: &[Value]) -> BatchReport {
        self.deliver_to(&self.processor, records).await
    }

    /// Delivers records to another processor of the same tables.
    pub async fn deliver_to(&self, processor: &Processor, records: &[Value]) -> BatchReport {
        Box::pin(processor.process(&self.event(records), Instant::now() + TIME_OF_INVOCATION)).await
    }

    /// Every item of `derived`, those of the registry included.
    pub async fn all_derived(&self) -> Vec<Value> {
        self.raw_items(Table::DERIVED).await
    }

    /// An event of these records. Records name tables as they are called by default; here each gets
    /// the name of this world's table.
    pub fn event(&self, records: &[Value]) -> StreamEvent {
        let mut records = records.to_vec();
        for arn in records.iter_mut().filter_map(|record| record.get_mut("eventSourceARN")) {
            for (table, name) in self.dynamodb.names().iter() {
                let text = arn.as_str().expect("an ARN");
                let default = format!(":table/{}/", table.default_name());
                *arn = json!(text.replace(&default, &format!(":table/{name}/")));
            }
        }
        serde_json::from_value(json!({ "Records": records })).expect("an event")
    }

    /// Delivers whatever the streams hold, until they hold no more.
    pub async fn drain(&mut self) {
        loop {
            let mut records = self.records(ALBUMS).await;
            records.extend(self.records(MESSAGES).await);
            if records.is_empty() {
                return;
            }
            let report = self.deliver(&records).await;
            assert_eq!(report.response().batch_item_failures.len(), 0, "{report:?}");
        }
    }

    /// The derived counts of a view by sort key, zeros left out.
    pub async fn counts(&self, partition: &str) -> BTreeMap<String, u64> {
        let text = |item: &Item, name: &str| match item.get(name) {
            Some(afterimage::AttributeValue::S(text)) => text.clone(),
            Some(afterimage::AttributeValue::N(number)) => number.to_string(),
            other => panic!("{name} is {other:?}"),
        };
        let derived = self.dump(Table::DERIVED).await;
        let counts = derived.iter().filter(|item| text(item, "pk") == partition);
        counts
            .map(|item| {
                (text(item, "sk"), text(item, "count").parse().expect("a count of 0 or more"))
            })
            .filter(|(_, count)| *count != 0)
            .collect()
    }

    /// Asserts that derived state is the fold of the source tables as they stand.
    pub async fn assert_exact(&self) {
        let mut ground = GroundState::default();
        for table in [ALBUMS, MESSAGES] {
            let items = self.raw_items(table.clone()).await;
            ground.items.insert(table.logical_name().to_owned(), items);
        }
        let derived = self.raw_items(Table::DERIVED).await;
        let differences = self.oracle.differences(&ground, &derived).expect("ground state");
        assert_eq!(differences, []);
    }

    /// Whether the engine tells what the transactions of this batch cost; where it does not, these
    /// checks are left out.
    pub fn has_cost(&self, report: &BatchReport, checks: &str) -> bool {
        let is_told = report.consumption.write_units > 0.0;
        if !is_told {
            self.dynamodb.leave_out(checks, "ConsumedCapacity of TransactWriteItems");
        }
        is_told
    }

    /// Asserts that a row stands at this sort key and holds this message, `-` for none.
    pub async fn assert_row(&self, owner: &str, sort: &str, message: &str) {
        let key = json!({"pk": {"S": owner}, "sk": {"S": sort}});
        let get = self.client.get_item().table_name(self.name(&MESSAGES));
        let found = get.set_key(Some(to_sdk(&key))).send().await.expect("a get");
        let item = found.item.unwrap_or_else(|| panic!("no row of {owner} at {sort}"));
        let found = item.get("message").and_then(|it| it.as_s().ok()).map_or("-", String::as_str);
        assert_eq!(found, message);
    }

    /// Keys of the parked records, reason behind each.
    pub async fn parked(&self) -> Vec<(String, String)> {
        let text = |item: &Item, name: &str| {
            item.get(name).and_then(|it| it.as_string()).unwrap_or_default().to_owned()
        };
        let derived = self.dump(Table::DERIVED).await;
        let parked = derived.iter().filter(|item| text(item, "pk").starts_with("parked#"));
        parked.map(|item| (text(item, "pk"), text(item, "reason"))).collect()
    }
}

/// The outcomes of a batch, one word a record.
pub fn words(report: &BatchReport) -> String {
    let word = |outcomes: &[(String, Outcome)]| {
        outcomes.iter().map(|(_, outcome)| outcome.name()).collect::<Vec<_>>().join("+")
    };
    report.records.iter().map(|it| word(&it.outcomes)).collect::<Vec<_>>().join(" ")
}

/// A record as Lambda delivers it, made by hand.
pub fn record(table: &Table, event_name: &str, number: u64, keys: Value, image: Value) -> Value {
    let record = StreamRecord::new(&table.default_name(), event_name, number).keys(keys);
    if image.is_null() { record.json() } else { record.image(image).json() }
}

fn event_record(table: &Table, raw: &Record) -> Value {
    let data = raw.dynamodb.as_ref().expect("data");
    let image = |item: &Option<std::collections::HashMap<String, StreamValue>>| match item {
        Some(item) if !item.is_empty() => stream_item(item),
        _ => Value::Null,
    };
    let event_name = raw.event_name.as_ref().expect("a name").as_str();
    let mut record = record(table, event_name, 0, image(&data.keys), image(&data.new_image));
    record["dynamodb"]["SequenceNumber"] = json!(data.sequence_number);
    record
}

fn stream_item(item: &std::collections::HashMap<String, StreamValue>) -> Value {
    item.iter().map(|(name, value)| (name.clone(), stream_value(value))).collect()
}

fn stream_value(value: &StreamValue) -> Value {
    match value {
        StreamValue::S(text) => json!({ "S": text }),
        StreamValue::N(text) => json!({ "N": text }),
        StreamValue::Bool(it) => json!({ "BOOL": it }),
        StreamValue::Null(_) => json!({ "NULL": true }),
        StreamValue::Ss(texts) => json!({ "SS": texts }),
        StreamValue::L(values) => {
            json!({ "L": values.iter().map(stream_value).collect::<Vec<_>>() })
        }
        StreamValue::M(item) => json!({ "M": stream_item(item) }),
        other => panic!("no test writes {other:?}"),
    }
}

type SdkItem = std::collections::HashMap<String, SdkValue>;

/// An item of the SDK from typed JSON.
pub fn to_sdk(json: &Value) -> SdkItem {
    let object = json.as_object().expect("an item");
    object.iter().map(|(name, value)| (name.clone(), sdk_value(value))).collect()
}

fn sdk_value(json: &Value) -> SdkValue {
    let (tag, inner) = json.as_object().and_then(|it| it.iter().next()).expect("a typed value");
    let text = || inner.as_str().expect("a text").to_owned();
    match tag.as_str() {
        "S" => SdkValue::S(text()),
        "N" => SdkValue::N(text()),
        "BOOL" => SdkValue::Bool(inner.as_bool().expect("a boolean")),
        "NULL" => SdkValue::Null(true),
        "L" => SdkValue::L(inner.as_array().expect("a list").iter().map(sdk_value).collect()),
        "M" => SdkValue::M(to_sdk(inner)),
        "B" => SdkValue::B(Blob::new(text())),
        "SS" => {
            let texts = inner.as_array().expect("a set").iter();
            SdkValue::Ss(texts.map(|it| it.as_str().expect("a text").to_owned()).collect())
        }
        other => panic!("no test writes {other}"),
    }
}

fn json_of_item(item: &SdkItem) -> Value {
    item.iter().map(|(name, value)| (name.clone(), json_of(value))).collect()
}

fn json_of(value: &SdkValue) -> Value {
    match value {
        SdkValue::S(text) => json!({ "S": text }),
        SdkValue::N(text) => json!({ "N": text }),
        SdkValue::Bool(it) => json!({ "BOOL": it }),
        SdkValue::Null(_) => json!({ "NULL": true }),
        SdkValue::L(values) => json!({ "L": values.iter().map(json_of).collect::<Vec<_>>() }),
        SdkValue::M(item) => json!({ "M": json_of_item(item) }),
        SdkValue::Ss(texts) => json!({ "SS": texts }),
        // Payloads of parked records: their length is enough to compare tables by.
        SdkValue::B(bytes) => json!({ "S": format!("{} bytes", bytes.as_ref().len()) }),
        other => panic!("no test reads {other:?}"),
    }
}
