use afterimage_schema::{AttributeType, Table, TableDefinition, TableNames};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use embedded_dynamodb::{Emulator, StartError, Storage};

/// A table with a stream, and `derived`.
fn definitions() -> [TableDefinition; 2] {
    let string = |name: &str| (name.to_owned(), AttributeType::String);
    let orders = TableDefinition {
        table: Table::literal("orders"),
        partition_key: "customer".to_owned(),
        sort_key: Some("number".to_owned()),
        attribute_types: vec![string("customer"), string("number")],
        ..TableDefinition::derived()
    };
    [orders, TableDefinition::derived()]
}

pub async fn create_tables(emulator: &Emulator) -> Vec<String> {
    let names = TableNames::defaults(&definitions()).expect("names");
    emulator.create_tables(&definitions(), &names).await.expect("created")
}

pub async fn put(emulator: &Emulator, number: &str) {
    emulator
        .client()
        .put_item()
        .table_name("afterimage-orders")
        .item("customer", AttributeValue::S("ada".to_owned()))
        .item("number", AttributeValue::S(number.to_owned()))
        .send()
        .await
        .expect("put");
}

pub async fn record_count(emulator: &Emulator) -> usize {
    let streams = emulator.streams_client();
    let list =
        streams.list_streams().table_name("afterimage-orders").send().await.expect("streams");
    let arn = list.streams()[0].stream_arn().expect("an ARN");
    let description = streams.describe_stream().stream_arn(arn).send().await.expect("a stream");
    let shard = description.stream_description().expect("a description").shards()[0].clone();
    let iterator = streams
        .get_shard_iterator()
        .stream_arn(arn)
        .shard_id(shard.shard_id().expect("an id"))
        .shard_iterator_type(ShardIteratorType::TrimHorizon)
        .send()
        .await
        .expect("an iterator");
    let page = streams
        .get_records()
        .shard_iterator(iterator.shard_iterator().expect("an iterator"))
        .send()
        .await;
    page.expect("a page").records().len()
}

#[tokio::test]
async fn tables_are_created_once_and_writes_reach_the_stream() {
    let emulator = Emulator::in_memory().await.expect("started");
    assert_eq!(create_tables(&emulator).await, ["afterimage-orders", "afterimage-derived"]);
    assert_eq!(create_tables(&emulator).await, Vec::<String>::new());
    put(&emulator, "one").await;
    put(&emulator, "two").await;
    assert_eq!(record_count(&emulator).await, 2);
    emulator.shutdown().await;
}

#[tokio::test]
async fn two_in_memory_share_nothing() {
    let one = Emulator::in_memory().await.expect("started");
    let other = Emulator::in_memory().await.expect("started");
    create_tables(&one).await;
    let tables = other.client().list_tables().send().await.expect("tables");
    assert!(tables.table_names().is_empty());
}

#[tokio::test]
async fn a_file_survives_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let storage = Storage::File(directory.path().join("dynamodb.sqlite"));
    let emulator = Emulator::start(storage.clone(), 0).await.expect("started");
    create_tables(&emulator).await;
    put(&emulator, "one").await;
    emulator.shutdown().await;
    let emulator = Emulator::start(storage, 0).await.expect("started again");
    assert_eq!(create_tables(&emulator).await, Vec::<String>::new());
    assert_eq!(record_count(&emulator).await, 1);
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let emulator = Emulator::in_memory().await.expect("started");
    let error = Emulator::start(Storage::Memory, emulator.port()).await.expect_err("taken");
    assert!(matches!(error, StartError::Listen { port, .. } if port == emulator.port()));
}

#[tokio::test]
async fn a_table_that_stands_with_other_keys_is_refused_and_nothing_is_created() {
    let emulator = Emulator::in_memory().await.expect("started");
    let [orders, derived] = definitions();
    let names = TableNames::defaults(&definitions()).expect("names");
    emulator.create_tables(std::slice::from_ref(&orders), &names).await.expect("created");
    let other = TableDefinition { sort_key: None, ..orders };
    let error = emulator.create_tables(&[derived, other], &names).await.expect_err("other keys");
    assert_eq!(
        error.to_string(),
        "the table `afterimage-orders` stands with the keys customer (S), number (S), and the views file declares customer (S); correct its section `[table.orders]`, or give it another `name`"
    );
    let tables = emulator.client().list_tables().send().await.expect("tables");
    assert_eq!(tables.table_names(), ["afterimage-orders"]);
}
