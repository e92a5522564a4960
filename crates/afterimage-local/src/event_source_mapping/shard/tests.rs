use aws_sdk_dynamodbstreams::types::{Record as RawRecord, StreamRecord};
use serde_json::{Value, json};
use time::OffsetDateTime;

use super::super::function::FunctionError;
use super::super::settings::read_settings;
use super::super::source::event_source;
use super::*;
use crate::event_source_mapping::OnFailure;

#[derive(Debug)]
struct Succeeds;

impl Function for Succeeds {
    async fn invoke(&self, _: String, _: Instant) -> Result<Value, FunctionError> {
        Ok(json!({}))
    }
}

fn record(number: u32) -> Record {
    Record {
        sequence_number: SequenceNumber::new(number.to_string()),
        created_at_secs: None,
        item_key: String::new(),
        json: "{}".to_owned(),
    }
}

fn progress() -> Arc<Progress> {
    let (stream_arn, shard_id) = ("stream".to_owned(), "shard".to_owned());
    Arc::new(Progress {
        shard: ShardKey { stream_arn, shard_id },
        acknowledgements: Mutex::default(),
        checkpoints: Arc::new(CheckpointStore::in_memory()),
        counters: Arc::default(),
    })
}

/// A lane whose batches hold four records, with a window of a second.
fn lane() -> (Lane<Succeeds>, watch::Sender<bool>) {
    let template = "Resources:
  Worker: {Type: 'AWS::Serverless::Function', Properties: {Timeout: 60}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Worker, EventSourceArn: !GetAtt AlbumsTable.StreamArn,
      StartingPosition: TRIM_HORIZON, BatchSize: 4, MaximumBatchingWindowInSeconds: 1}
";
    let (stop, stopped) = watch::channel(false);
    let delivery = Delivery {
        settings: Arc::new(read_settings(template).expect("settings").remove(0)),
        function: Arc::new(Succeeds),
        on_failure: Arc::new(OnFailure::in_temporary_directory()),
        counters: Arc::default(),
        stream_arn: "stream".to_owned(),
        shard_id: "shard".to_owned(),
        clock: || OffsetDateTime::UNIX_EPOCH,
        stop: stopped.clone(),
    };
    let config = aws_sdk_dynamodbstreams::Config::builder().behavior_version_latest().build();
    let current = CurrentStream {
        client: Client::from_conf(config),
        table_name: "table".to_owned(),
        stream_arn: "stream".to_owned(),
    };
    (Lane { delivery: Arc::new(delivery), progress: progress(), current, stop: stopped }, stop)
}

/// Sends pages of `page_size` records, and tells how long a lane gathers after an invocation that
/// ended just now, and how many records it has then.
async fn gather(pages: u32, page_size: u32, has_invoked: bool) -> (u128, usize) {
    let (mut lane, _stop) = lane();
    let (sender, mut receiver) = mpsc::channel(8);
    for _ in 0..pages {
        sender.send((0..page_size).map(record).collect()).await.expect("sent");
    }
    let (started, mut waiting) = (Instant::now(), VecDeque::new());
    lane.gather(&mut receiver, &mut waiting, has_invoked.then_some(started)).await;
    (started.elapsed().as_millis(), waiting.len())
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_the_window_unless_it_is_full() {
    assert_eq!(gather(1, 3, true).await, (1000, 3));
    assert_eq!(gather(1, 4, true).await, (0, 4));
    assert_eq!(gather(2, 3, true).await, (0, 6));
    // The first invocation has no window before it.
    assert_eq!(gather(1, 1, false).await, (0, 1));
}

#[tokio::test(start_paused = true)]
async fn no_more_is_gathered_than_fills_a_batch() {
    assert_eq!(gather(6, 3, true).await, (0, 6));
    assert_eq!(gather(6, 4, false).await, (0, 4));
}

#[test]
fn an_incomplete_record_holds_what_is_behind_it() {
    let raw = |number: Option<&str>| {
        let change = StreamRecord::builder().set_sequence_number(number.map(str::to_owned));
        RawRecord::builder().dynamodb(change.build()).build()
    };
    let source = event_source("t", "arn");
    let (lane, _stop) = lane();
    let filters = &lane.delivery.settings.filters;
    let shares = share(&[raw(Some("1")), raw(None), raw(Some("3"))], &source, filters, 1);
    assert_eq!(shares.read, [SequenceNumber::new("1")]);
    assert_eq!(shares.by_lane.iter().map(Vec::len).collect::<Vec<_>>(), [1]);
    assert!(shares.incomplete.is_some());
}

#[test]
fn a_shard_is_closed_only_when_all_of_it_is_done() {
    let (progress, last) = (progress(), SequenceNumber::new("2"));
    let closed = || progress.checkpoints.get(&progress.shard).is_some_and(|it| it.closed);
    progress.read(vec![SequenceNumber::new("1"), last.clone()]);
    progress.done([&SequenceNumber::new("1")]);
    assert_eq!(conclude(Ended::Closed, Some(last.clone()), &progress), Ended::Gone);
    assert!(!closed());
    progress.done([&last]);
    assert_eq!(conclude(Ended::Closed, Some(last), &progress), Ended::Closed);
    assert!(closed());
}
