use afterimage_schema::{Table, TableNames};
use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use embedded_dynamodb::{Emulator, StartError, Storage};

async fn put(emulator: &Emulator, album: &str) {
    emulator
        .client()
        .put_item()
        .table_name(TableNames::default().name(Table::Albums))
        .item("Artist", AttributeValue::S("Artist".to_owned()))
        .item("Album", AttributeValue::S(album.to_owned()))
        .send()
        .await
        .expect("put");
}

async fn record_count(emulator: &Emulator) -> usize {
    let names = TableNames::default();
    let streams = emulator.streams_client();
    let table_name = names.name(Table::Albums);
    let list = streams.list_streams().table_name(table_name).send().await.expect("streams");
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
    let names = TableNames::default();
    assert_eq!(emulator.create_tables(&names).expect("created"), Table::ALL);
    assert_eq!(emulator.create_tables(&names).expect("created"), []);
    put(&emulator, "one").await;
    put(&emulator, "two").await;
    assert_eq!(record_count(&emulator).await, 2);
    emulator.shutdown().await;
}

#[tokio::test]
async fn two_in_memory_share_nothing() {
    let one = Emulator::in_memory().await.expect("started");
    let other = Emulator::in_memory().await.expect("started");
    one.create_tables(&TableNames::default()).expect("created");
    let tables = other.client().list_tables().send().await.expect("tables");
    assert!(tables.table_names().is_empty());
}

#[tokio::test]
async fn a_file_survives_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let storage = Storage::File(directory.path().join("dynamodb.sqlite"));
    let emulator = Emulator::start(storage.clone(), 0).await.expect("started");
    emulator.create_tables(&TableNames::default()).expect("created");
    put(&emulator, "one").await;
    emulator.shutdown().await;
    let emulator = Emulator::start(storage, 0).await.expect("started again");
    assert_eq!(emulator.create_tables(&TableNames::default()).expect("created"), []);
    assert_eq!(record_count(&emulator).await, 1);
}

#[tokio::test]
async fn a_taken_port_is_told() {
    let emulator = Emulator::in_memory().await.expect("started");
    let error = Emulator::start(Storage::Memory, emulator.port()).await.expect_err("taken");
    assert!(matches!(error, StartError::Listen { port, .. } if port == emulator.port()));
}
