//! Processors that contend for one count: together they get as much done as one alone, in virtual time.

use std::time::Duration;

use afterimage::{Outcome, Views};
use afterimage_dynamodb::{Processor, StreamEvent};
use afterimage_schema::{Table, TableNames};
use afterimage_sim::{Dynamodb, FaultRates, Trace, TransactionTime, client};
use serde_json::json;
use testkit::stream_record::StreamRecord;
use time::macros::datetime;
use tokio::time::Instant;

const VIEWS: &str = r#"
    [table.orders]
    partition_key = "id"
    [[view]]
    name = "by-status"
    kind = "count"
    source = "orders"
    group_by = "status"
    remove = "retract"
    target = { table = "derived", pk = "orders-by-status", sk = "{status}", count = "count" }
"#;

/// Records in the batch of each processor.
const BATCH_SIZE: u64 = 500;

/// The time of the product's function.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A network and transactions that are about as slow as in a Region.
const RATES: FaultRates = FaultRates {
    per_mille: 0,
    delay_ms_max: 8,
    transaction_time: TransactionTime { base_ms: 20, per_action_us: 800 },
};

fn event(processor: u64, groups: u64) -> StreamEvent {
    let records = (0..BATCH_SIZE).map(|number| {
        let id = format!("{processor}-{number}");
        let status = format!("status {}", number % groups);
        let item = json!({ "id": { "S": id }, "status": { "S": status } });
        let record = StreamRecord::new("afterimage-orders", "INSERT", 1_000 + number);
        record.item(&["id"], &item).json()
    });
    let event = json!({ "Records": records.collect::<Vec<_>>() });
    serde_json::from_value(event).expect("an event")
}

fn tables() -> (Dynamodb, Views, TableNames) {
    let dynamodb = Dynamodb::open(1, FaultRates::NONE, Trace::default()).expect("it opens");
    let views = Views::parse(VIEWS).expect("views");
    for definition in views.all_tables() {
        let input = definition.create_table_input(&definition.table.default_name());
        dynamodb.call("CreateTable", &input).expect("a table");
    }
    let names = TableNames::defaults(&views.all_tables()).expect("names");
    (dynamodb, views, names)
}

/// Records a second, in virtual time, of so many processors with a batch each.
async fn throughput(processor_count: u64, groups: u64) -> f64 {
    let (dynamodb, views, names) = tables();
    let processor = |number: u64| {
        let client = client(&dynamodb, &format!("processor {number}"));
        let processor = Processor::new(client, views.clone(), names.clone()).expect("a processor");
        processor.with_clock(|| datetime!(2100-01-01 00:00 UTC))
    };
    // The first batch registers the views.
    processor(0).process(&StreamEvent { records: Vec::new() }, Instant::now() + TIMEOUT).await;
    dynamodb.set_rates(RATES);
    let begin = Instant::now();
    let mut batches = Vec::new();
    for number in 0..processor_count {
        let (processor, event) = (processor(number), event(number, groups));
        batches.push(tokio::spawn(async move {
            processor.process(&event, Instant::now() + TIMEOUT).await
        }));
    }
    for batch in batches {
        let report = batch.await.expect("no panic");
        assert!(report.outcomes().all(|(_, outcome)| outcome == Outcome::Applied));
    }
    let seconds = begin.elapsed().as_secs_f64();
    let record_count = processor_count * BATCH_SIZE;
    let derived = dynamodb.scan(&Table::DERIVED.default_name()).expect("a scan");
    let counts = derived.iter().filter_map(|item| item["count"]["N"].as_str()?.parse::<u64>().ok());
    assert_eq!(counts.sum::<u64>(), record_count);
    record_count as f64 / seconds
}

/// Checks that more processors get at least nine tenths of what one gets done.
#[track_caller]
fn check(groups: u64) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    fastrand::seed(1);
    let throughput = |processors| runtime.block_on(throughput(processors, groups));
    let one = throughput(1);
    for processor_count in [2, 4, 8] {
        let ratio = throughput(processor_count) / one;
        println!("{groups} groups, {processor_count} processors: {ratio:.2} times one");
        assert!(ratio >= 0.9, "{processor_count} processors: {ratio:.2} times one");
    }
}

#[test]
fn processors_at_one_count_are_as_fast_as_one() {
    check(1);
}

#[test]
fn processors_at_a_few_counts_are_as_fast_as_one() {
    check(3);
}
