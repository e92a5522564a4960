use aws_sdk_dynamodb::types::AttributeValue;
use embedded_dynamodb::Emulator;
use testkit::dynamodb::{product_names, product_tables};

use super::*;

const KB: u64 = 1024;

#[track_caller]
fn check_asked(page_count: usize, room_kb: u64, expected_kb: u64, expected: Option<usize>) {
    let found = count_to_ask(page_count, room_kb * KB, expected_kb * KB);
    assert_eq!(found, expected, "{page_count} records, {room_kb} KB left, {expected_kb} KB each");
}

#[test]
fn a_call_asks_for_what_fits() {
    check_asked(0, 1024, 400, Some(2));
    check_asked(0, 1024, 1, Some(16));
    check_asked(0, 1024, 0, Some(16));
    check_asked(0, 1024, 5_000, Some(1));
    check_asked(2, 224, 400, None);
    check_asked(2, 224, 224, Some(1));
    check_asked(990, 500, 1, Some(10));
    check_asked(1000, 500, 1, None);
    check_asked(1, 0, 0, None);
}

#[test]
fn a_page_takes_what_fits_and_always_its_first() {
    for (sizes, room_bytes, is_first, expected) in [
        (vec![], 10, true, 0),
        (vec![10], 10, true, 1),
        (vec![11], 10, true, 1),
        (vec![11], 10, false, 0),
        (vec![4, 6, 1], 10, false, 2),
        (vec![11, 1], 10, true, 1),
        (vec![u64::MAX, u64::MAX], 10, true, 1),
        (vec![0, 0, 10], 10, false, 3),
    ] {
        assert_eq!(fitting_count(&sizes, room_bytes, is_first), expected, "{sizes:?}");
    }
}

async fn put(emulator: &Emulator, number: usize, note_bytes: usize) {
    let put = emulator.client().put_item().table_name("afterimage-albums");
    let put = put
        .item("Artist", AttributeValue::S("Artist".to_owned()))
        .item("Album", AttributeValue::S(format!("{number:05}")))
        .item("Note", AttributeValue::S("x".repeat(note_bytes)));
    put.send().await.expect("a put");
}

/// Small, large, small: whatever follows what, no page is larger than 1 MB, and no record is missing or doubled.
#[tokio::test]
async fn pages_are_bounded_and_lose_nothing() {
    let emulator = Emulator::in_memory().await.expect("started");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("created");
    let notes = [vec![10; 40], vec![380_000; 7], vec![10; 40], vec![60_000; 30]].concat();
    for (number, note_bytes) in notes.iter().enumerate() {
        put(&emulator, number, *note_bytes).await;
    }
    let client = emulator.streams_client();
    let arn = stream::find(&client, "afterimage-albums").await.expect("found").expect("a stream");
    let shards = stream::shards(&client, &arn).await.expect("shards");
    let shard = ShardKey { stream_arn: arn, shard_id: shards[0].id.clone() };
    let begin = stream::iterator(&client, &shard.stream_arn, &shard.shard_id, None).await;
    let mut place = begin.expect("an iterator").expect("open");
    let mut reader = PageReader::of(client, shard);
    let (mut albums, mut sizes) = (Vec::new(), Vec::new());
    loop {
        let page = reader.page(place).await.expect("a page");
        if page.records.is_empty() {
            break;
        }
        let bytes: u64 = page.records.iter().map(size_bytes).sum();
        assert!(bytes <= PAGE_BYTES_MAX, "{} records of {bytes} bytes", page.records.len());
        sizes.push(page.records.len());
        for record in page.records {
            let keys = record.dynamodb.and_then(|it| it.keys).expect("keys");
            albums.push(keys["Album"].as_s().expect("a text").clone());
        }
        place = page.next.expect("the shard never closes");
    }
    let expected: Vec<String> = (0..notes.len()).map(|number| format!("{number:05}")).collect();
    assert_eq!(albums, expected);
    assert!(sizes.len() < 20, "pages are filled: {sizes:?}");
    emulator.shutdown().await;
}
