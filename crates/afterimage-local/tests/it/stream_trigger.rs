//! The trigger over the embedded DynamoDB, with functions that fail as they are told.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use afterimage_local::event_source_mapping::{
    CheckpointStore, Function, FunctionError, OnFailure, TableMapping, Trigger, TriggerParts,
    backlog, read_settings,
};
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use aws_sdk_dynamodbstreams::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodbstreams::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodbstreams::error::BoxError;
use embedded_dynamodb::Emulator;
use serde_json::{Value, json};
use testkit::dynamodb::{product_names, product_tables};
use time::OffsetDateTime;
use tokio::sync::watch;
use tokio::time::Instant;

/// Remembers the albums of its events, and fails for every batch with the album `poison`.
#[derive(Debug)]
struct Recorder {
    events: Mutex<Vec<Value>>,
    /// The albums of every call, failed ones included.
    attempts: watch::Sender<Vec<String>>,
    albums: watch::Sender<Vec<String>>,
}

impl Recorder {
    fn new() -> Arc<Self> {
        let (albums, _) = watch::channel(Vec::new());
        let (attempts, _) = watch::channel(Vec::new());
        Arc::new(Self { events: Mutex::default(), attempts, albums })
    }

    /// Waits until so many albums have come.
    async fn came(&self, count: usize) -> Vec<String> {
        let mut albums = self.albums.subscribe();
        let came = albums.wait_for(|albums| albums.len() >= count);
        let came = tokio::time::timeout(Duration::from_secs(30), came).await.expect("in time");
        came.expect("a sender").clone()
    }
}

impl Function for Recorder {
    async fn invoke(&self, payload: String, _: Instant) -> Result<Value, FunctionError> {
        let event: Value = serde_json::from_str(&payload)?;
        let albums = albums_of(&event);
        self.attempts.send_modify(|all| all.extend(albums.clone()));
        if albums.iter().any(|album| album == "poison") {
            return Err(FunctionError::Failed { message: "scripted".to_owned() });
        }
        self.events.lock().expect("a lock").push(event);
        self.albums.send_modify(|all| all.extend(albums));
        Ok(json!({ "batchItemFailures": [] }))
    }
}

fn albums_of(event: &Value) -> Vec<String> {
    let records = event["Records"].as_array().expect("records");
    let album =
        |record: &Value| record["dynamodb"]["Keys"]["Album"]["S"].as_str().map(str::to_owned);
    records.iter().filter_map(album).collect()
}

fn mapping(properties: &str) -> Vec<TableMapping> {
    let template = format!(
        "Resources:
  Worker: {{Type: 'AWS::Serverless::Function', Properties: {{Timeout: 60}}}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref Worker, EventSourceArn: !GetAtt AlbumsTable.StreamArn,
      FunctionResponseTypes: [ReportBatchItemFailures], {properties}}}
"
    );
    let settings = read_settings(&template).expect("settings").into_iter();
    let names = product_names();
    settings.map(|it| TableMapping::of(it, &names).expect("a name")).collect()
}

async fn put(emulator: &Emulator, album: &str) {
    emulator
        .client()
        .put_item()
        .table_name("afterimage-albums")
        .item("Artist", AttributeValue::S("Artist".to_owned()))
        .item("Album", AttributeValue::S(album.to_owned()))
        .send()
        .await
        .expect("put");
}

async fn emulator() -> Emulator {
    let emulator = Emulator::in_memory().await.expect("started");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("created");
    emulator
}

struct Places {
    checkpoints: Arc<CheckpointStore>,
    on_failure: Arc<OnFailure>,
}

fn places(directory: &Path) -> Places {
    let checkpoints = CheckpointStore::open(directory.join("checkpoints")).expect("opened");
    Places {
        checkpoints: Arc::new(checkpoints),
        on_failure: Arc::new(OnFailure::in_directory(directory.join("on-failure"))),
    }
}

fn start(
    emulator: &Emulator,
    function: &Arc<Recorder>,
    properties: &str,
    places: &Places,
) -> Trigger {
    Trigger::start(TriggerParts {
        mappings: mapping(properties),
        client: emulator.streams_client(),
        function: Arc::clone(function),
        checkpoints: Arc::clone(&places.checkpoints),
        on_failure: Arc::clone(&places.on_failure),
        clock: OffsetDateTime::now_utc,
    })
}

async fn pending(emulator: &Emulator, places: &Places) -> u64 {
    let settings = mapping("StartingPosition: TRIM_HORIZON");
    let client = emulator.streams_client();
    backlog(&client, &emulator.stream_counter(), &settings, &places.checkpoints)
        .await
        .expect("counted")
        .pending
}

async fn all_done(emulator: &Emulator, places: &Places) {
    let done = async {
        while pending(emulator, places).await > 0 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), done).await.expect("done in time");
}

const HORIZON: &str = "StartingPosition: TRIM_HORIZON";

#[tokio::test]
async fn events_are_lambda_s_and_a_restart_goes_on_behind_the_checkpoint() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    put(&emulator, "one").await;
    put(&emulator, "two").await;
    let function = Recorder::new();
    let first = places(directory.path());
    let trigger = start(&emulator, &function, HORIZON, &first);
    assert_eq!(function.came(2).await, ["one", "two"]);
    all_done(&emulator, &first).await;
    trigger.shutdown().await;
    let event = function.events.lock().expect("a lock")[0].clone();
    let record = &event["Records"][0];
    assert_eq!(record["eventName"], "INSERT");
    assert_eq!(record["eventSource"], "aws:dynamodb");
    assert_eq!(record["awsRegion"], "us-east-1");
    let arn = record["eventSourceARN"].as_str().expect("an ARN");
    let label = arn
        .strip_prefix("arn:aws:dynamodb:us-east-1:000000000000:table/afterimage-albums/stream/")
        .expect("the table's stream");
    assert_eq!((label.len(), &label[10..11]), (23, "T"), "{label}");
    assert!(record["dynamodb"]["ApproximateCreationDateTime"].is_i64(), "{record}");
    assert_eq!(record["dynamodb"]["NewImage"]["Album"], json!({ "S": "one" }));
    assert_eq!(record["dynamodb"]["StreamViewType"], "NEW_IMAGE");

    put(&emulator, "three").await;
    let second = places(directory.path());
    assert_eq!(pending(&emulator, &second).await, 1);
    let function = Recorder::new();
    let trigger = start(&emulator, &function, HORIZON, &second);
    assert_eq!(function.came(1).await, ["three"]);
    trigger.shutdown().await;
}

#[tokio::test]
async fn a_poison_record_becomes_a_file_and_its_neighbours_arrive() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    for album in ["one", "two", "poison", "three", "four"] {
        put(&emulator, album).await;
    }
    let (function, places) = (Recorder::new(), places(directory.path()));
    let bisect =
        "StartingPosition: TRIM_HORIZON, BisectBatchOnFunctionError: true, MaximumRetryAttempts: 0";
    let trigger = start(&emulator, &function, bisect, &places);
    assert_eq!(function.came(4).await, ["one", "two", "three", "four"]);
    all_done(&emulator, &places).await;
    trigger.shutdown().await;
    let files = std::fs::read_dir(directory.path().join("on-failure")).expect("a directory");
    let files: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
    assert_eq!(files.len(), 1);
    let kept: Value =
        serde_json::from_slice(&std::fs::read(&files[0]).expect("text")).expect("JSON");
    assert_eq!(kept["requestContext"]["condition"], "RetryAttemptsExhausted");
    assert_eq!(kept["DDBStreamBatchInfo"]["batchSize"], 1);
    let payload = kept["payload"].as_str().expect("text");
    assert_eq!(albums_of(&serde_json::from_str(payload).expect("JSON")), ["poison"]);
}

#[tokio::test]
async fn filtered_records_are_done_without_a_call() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    for album in ["drop-1", "keep-1", "drop-2"] {
        put(&emulator, album).await;
    }
    let (function, places) = (Recorder::new(), places(directory.path()));
    let filter = r#"StartingPosition: TRIM_HORIZON, FilterCriteria: {Filters: [{Pattern: '{"dynamodb": {"Keys": {"Album": {"S": [{"prefix": "keep"}]}}}}'}]}"#;
    let trigger = start(&emulator, &function, filter, &places);
    assert_eq!(function.came(1).await, ["keep-1"]);
    all_done(&emulator, &places).await;
    trigger.shutdown().await;
}

#[tokio::test]
async fn in_lanes_every_record_comes_and_each_item_keeps_its_order() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    let client = emulator.client();
    for round in 0..5 {
        for item in 0..12 {
            client
                .put_item()
                .table_name("afterimage-albums")
                .item("Artist", AttributeValue::S("Artist".to_owned()))
                .item("Album", AttributeValue::S(item.to_string()))
                .item("Round", AttributeValue::N(round.to_string()))
                .send()
                .await
                .expect("put");
        }
    }
    let (function, places) = (Recorder::new(), places(directory.path()));
    let lanes = "StartingPosition: TRIM_HORIZON, ParallelizationFactor: 4, BatchSize: 3";
    let trigger = start(&emulator, &function, lanes, &places);
    function.came(60).await;
    all_done(&emulator, &places).await;
    trigger.shutdown().await;
    let events = function.events.lock().expect("a lock").clone();
    let records: Vec<&Value> =
        events.iter().flat_map(|event| event["Records"].as_array().expect("records")).collect();
    assert!(events.iter().all(|event| event["Records"].as_array().is_some_and(|it| it.len() <= 3)));
    for item in (0..12).map(|item: u32| item.to_string()) {
        let of_item = |record: &&&Value| record["dynamodb"]["Keys"]["Album"]["S"] == item.as_str();
        let rounds: Vec<&Value> = records
            .iter()
            .filter(of_item)
            .map(|record| &record["dynamodb"]["NewImage"]["Round"]["N"])
            .collect();
        assert_eq!(rounds, ["0", "1", "2", "3", "4"]);
    }
}

#[tokio::test]
async fn latest_begins_behind_what_is_there() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    put(&emulator, "old").await;
    let (function, places) = (Recorder::new(), places(directory.path()));
    let trigger = start(&emulator, &function, "StartingPosition: LATEST", &places);
    all_done(&emulator, &places).await;
    put(&emulator, "new").await;
    assert_eq!(function.came(1).await, ["new"]);
    trigger.shutdown().await;
}

#[tokio::test]
async fn a_table_made_again_has_a_new_stream_that_is_read_from_its_beginning() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (function, places) = (Recorder::new(), places(directory.path()));
    let trigger = start(&emulator, &function, HORIZON, &places);
    put(&emulator, "old").await;
    function.came(1).await;
    let name = "afterimage-albums";
    emulator.client().delete_table().table_name(name).send().await.expect("deleted");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("created");
    put(&emulator, "new").await;
    assert_eq!(function.came(2).await, ["old", "new"]);
    trigger.shutdown().await;
}

#[tokio::test]
async fn nothing_of_a_dropped_table_is_delivered_after_the_new_stream_was_opened() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (function, places) = (Recorder::new(), places(directory.path()));
    for album in ["poison", "old-1", "old-2"] {
        put(&emulator, album).await;
    }
    let one_by_one = "StartingPosition: TRIM_HORIZON, BatchSize: 1";
    let trigger = start(&emulator, &function, one_by_one, &places);
    let mut attempts = function.attempts.subscribe();
    let failed = attempts.wait_for(|attempts| attempts.len() >= 2);
    tokio::time::timeout(Duration::from_secs(30), failed).await.expect("in time").expect("tried");
    assert_eq!(trigger.counters().in_hand(), 3);
    let name = "afterimage-albums";
    emulator.client().delete_table().table_name(name).send().await.expect("deleted");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("created");
    put(&emulator, "new-1").await;
    function.came(1).await;
    put(&emulator, "new-2").await;
    assert_eq!(function.came(2).await, ["new-1", "new-2"]);
    let attempts = attempts.borrow().clone();
    let first_new = attempts.iter().position(|album| album == "new-1").expect("delivered");
    assert_eq!(attempts[first_new..], ["new-1", "new-2"]);
    all_done(&emulator, &places).await;
    assert_eq!(trigger.counters().in_hand(), 0);
    trigger.shutdown().await;
}

/// Counts the requests of a client.
#[derive(Debug, Clone, Default)]
struct RequestCount(Arc<AtomicUsize>);

impl Intercept for RequestCount {
    fn name(&self) -> &'static str {
        "RequestCount"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[tokio::test]
async fn a_backlog_is_counted_by_few_requests_however_long_it_is() {
    let emulator = emulator().await;
    let directory = tempfile::tempdir().expect("a directory");
    let (mapping, places) = (mapping(HORIZON), places(directory.path()));
    let requests = RequestCount::default();
    let config = emulator.streams_client().config().to_builder().interceptor(requests.clone());
    let client = aws_sdk_dynamodbstreams::Client::from_conf(config.build());
    let counter = emulator.stream_counter();
    let counted = async || {
        let before = requests.0.load(Ordering::SeqCst);
        let found = backlog(&client, &counter, &mapping, &places.checkpoints).await;
        (found.expect("counted").pending, requests.0.load(Ordering::SeqCst) - before)
    };
    put(&emulator, "first").await;
    // One finds the stream, one its shards.
    assert_eq!(counted().await, (1, 2));
    for page in 0..25 {
        let put = |number: usize| {
            let put = Put::builder()
                .table_name("afterimage-albums")
                .item("Artist", AttributeValue::S(page.to_string()))
                .item("Album", AttributeValue::S(number.to_string()));
            TransactWriteItem::builder().put(put.build().expect("a put")).build()
        };
        let puts = emulator.client().transact_write_items();
        let puts = puts.set_transact_items(Some((0..100).map(put).collect()));
        puts.send().await.expect("written");
    }
    assert_eq!(counted().await, (2_501, 2));
}
