//! `replay` of batches that Lambda gave up, told by the messages of the on-failure queue.

use afterimage::registry::{OwnViews, enrol_unseen};
use afterimage_dynamodb::FileRegistration;
use std::io::Write as _;
use std::process::Stdio;
use testkit::dynamodb::product_names;

use afterimage_local::event_source_mapping::EventSource;
use aws_sdk_dynamodb::types::AttributeValue::S;
use aws_sdk_dynamodbstreams::types::ShardIteratorType;
use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::program::{Run, repository, to_its_end};
use crate::service::{Service, on_aws};
use crate::world::World;

pub const AWS_STREAM: &str =
    "arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000";

/// The stream of `albums`, after four albums were put.
struct Albums {
    world: World,
    /// As events name it.
    stream_arn: String,
    shard_id: String,
    /// Of the records of the albums.
    sequence_numbers: Vec<String>,
}

impl Albums {
    async fn new() -> Self {
        let world = World::new().await;
        let registration = FileRegistration::prepare(world.emulator.client(), &own()).await;
        registration.expect("accepted").register().await.expect("registered");
        for (album, genre) in [("A", "Jazz"), ("B", "Rock"), ("C", "Rock"), ("D", "Soul")] {
            let put = world.emulator.client().put_item().table_name("afterimage-albums");
            let put = put.item("Artist", S("AC/DC".into())).item("Album", S(album.into()));
            put.item("Genre", S(genre.into())).send().await.expect("a put");
        }
        let client = world.emulator.streams_client();
        let list = client.list_streams().table_name("afterimage-albums").send().await;
        let arn = list.expect("streams").streams()[0].stream_arn().expect("an ARN").to_owned();
        let described = client.describe_stream().stream_arn(&arn).send().await.expect("a stream");
        let shard = described.stream_description().expect("it").shards()[0].clone();
        let shard_id = shard.shard_id().expect("an id").to_owned();
        let iterator = client.get_shard_iterator().stream_arn(&arn).shard_id(&shard_id);
        let iterator = iterator.shard_iterator_type(ShardIteratorType::TrimHorizon).send().await;
        let iterator = iterator.expect("it").shard_iterator.expect("an iterator");
        let page = client.get_records().shard_iterator(iterator).send().await.expect("a page");
        let number = |record: &aws_sdk_dynamodbstreams::types::Record| {
            let number = record.dynamodb().and_then(|it| it.sequence_number());
            number.expect("a number").to_owned()
        };
        let sequence_numbers = page.records().iter().map(number).collect();
        let stream_arn = EventSource::of_stream(&arn).expect("a stream").arn;
        Self { world, stream_arn, shard_id, sequence_numbers }
    }

    /// The message about the batch from one record to another, counted from 0.
    fn message(&self, first: usize, last: usize) -> Value {
        message(
            &self.stream_arn,
            &self.shard_id,
            [&self.sequence_numbers[first], &self.sequence_numbers[last]],
            last - first + 1,
        )
    }

    /// Replays what a message tells, and compares all that is printed.
    #[track_caller]
    fn check(&self, message: &Value, expected: &Expect) {
        let path = self.world.file("message.json", &message.to_string());
        let path = path.to_str().expect("UTF-8");
        let run = self.world.run(None, &["replay", "--undelivered", path]);
        expected.assert_eq(&self.text(&run, path));
    }

    /// All that was printed, without what differs from run to run.
    fn text(&self, run: &Run, path: &str) -> String {
        let mut text =
            format!("exit code {}\n{}{}", run.code.expect("one"), run.stdout, run.stderr)
                .replace(path, "MESSAGE")
                .replace(&self.world.endpoint(), "ENDPOINT")
                .replace(&self.stream_arn, "STREAM");
        for (index, number) in self.sequence_numbers.iter().enumerate() {
            text = text.replace(number, &format!("NUMBER {index}"));
        }
        squeezed(text)
    }

    fn counts(&self) -> Vec<(String, String)> {
        self.world.counts("albums-by-genre")
    }
}

/// The text without the widths of its columns, which follow what differs from run to run.
pub fn squeezed(mut text: String) -> String {
    while text.contains("   ") {
        text = text.replace("   ", "  ");
    }
    text
}

/// A message as Lambda sends it to the queue.
fn message(
    stream_arn: &str,
    shard_id: &str,
    [first, last]: [&str; 2],
    record_count: usize,
) -> Value {
    let file = repository().join("events/on-failure/undelivered-batch.json");
    let text = std::fs::read_to_string(file).expect("a file");
    let mut message: Value = serde_json::from_str(&text).expect("JSON");
    let batch = &mut message["DDBStreamBatchInfo"];
    batch["shardId"] = shard_id.into();
    batch["startSequenceNumber"] = first.into();
    batch["endSequenceNumber"] = last.into();
    batch["batchSize"] = record_count.into();
    batch["streamArn"] = stream_arn.into();
    message
}

pub fn counted(genre: &str, count: &str) -> (String, String) {
    (genre.to_owned(), count.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_read_from_its_stream_and_applied() {
    let albums = Albums::new().await;
    albums.check(
        &albums.message(1, 2),
        &expect![[r#"
            exit code 0
            FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
            MESSAGE  1  INSERT  NUMBER 1  genre-counts  applied
            MESSAGE  2  INSERT  NUMBER 2  genre-counts  applied
            total: 2 applied
            consumed: 6 write units (3.00 per record), 2 read units
        "#]],
    );
    assert_eq!(albums.counts(), [counted("Rock", "2")], "no record but those of the batch");
    albums.check(
        &albums.message(1, 3),
        &expect![[r#"
            exit code 0
            FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
            MESSAGE  1  INSERT  NUMBER 1  genre-counts  duplicate
            MESSAGE  2  INSERT  NUMBER 2  genre-counts  duplicate
            MESSAGE  3  INSERT  NUMBER 3  genre-counts  applied
            total: 1 applied, 2 duplicate
            consumed: 4 write units (1.33 per record), 3 read units
        "#]],
    );
    assert_eq!(albums.world.ids(), [""; 0], "nothing is parked");
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_as_sqs_lists_them_come_from_standard_input() {
    let albums = Albums::new().await;
    let listed = |message: Value| json!({ "MessageId": "1", "Body": message.to_string() });
    let messages = [albums.message(0, 0), json!({ "hello": 1 }), albums.message(3, 3)].map(listed);
    let mut command = on_aws(&albums.world.endpoint(), &["replay", "--aws", "--undelivered", "-"]);
    let process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut process = process.spawn().expect("the command starts");
    let text = json!({ "Messages": messages }).to_string();
    process.stdin.take().expect("it").write_all(text.as_bytes()).expect("written");
    let output = process.wait_with_output().expect("it ends");
    let run = Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    };
    expect![[r#"
        exit code 1
        FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
        standard input#1  1  INSERT  NUMBER 0  genre-counts  applied
        standard input#3  1  INSERT  NUMBER 3  genre-counts  applied
        total: 2 applied
        consumed: 8 write units (4.00 per record), 2 read units
        error: standard input#2 is no message about a batch of a DynamoDB stream, but a JSON object with `hello`
          next: give a message of the on-failure queue or topic, or what `aws sqs receive-message` prints
    "#]].assert_eq(&albums.text(&run, "no path"));
    assert_eq!(albums.counts(), [counted("Jazz", "1"), counted("Soul", "1")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_cannot_be_read_is_said() {
    let albums = Albums::new().await;
    let with = |name: &str, value: Value| {
        let mut message = albums.message(0, 1);
        message["DDBStreamBatchInfo"][name] = value;
        message
    };
    // The emulator counts from there.
    let before = "100000000000000000001";
    albums.check(&with("streamArn", AWS_STREAM.into()), &expect![[r#"
        exit code 1
        error: there is no stream arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000 at ENDPOINT
          next: name the stack that gave the batch up with --endpoint, or AWS with --aws; a table that was created anew has another stream
    "#]]);
    let foreign = AWS_STREAM.replace("afterimage-albums", "other");
    albums.check(
        &with("streamArn", foreign.into()),
        &expect![[r#"
        exit code 1
        error: the batch of MESSAGE is of the table other, which is none of this deployment's
          next: declare the table in the views file that --views names, or give its real name there or by its variable, such as ORDERS_TABLE
    "#]],
    );
    albums.check(&json!({ "Records": [] }), &expect![[r#"
        exit code 1
        error: MESSAGE holds no message
          next: the queue is empty, or hides the messages that were received a moment ago until their visibility timeout ends
    "#]]);
    assert_eq!(albums.counts(), []);
    // The emulator, too, begins behind records that are gone.
    albums.check(&with("startSequenceNumber", before.into()), &expect![[r#"
        exit code 1
        FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
        MESSAGE  1  INSERT  NUMBER 0  genre-counts  applied
        MESSAGE  2  INSERT  NUMBER 1  genre-counts  applied
        total: 2 applied
        consumed: 8 write units (4.00 per record), 2 read units
        error: a part of the records of MESSAGE is no longer in their stream, which keeps them for 24 hours; those that are left were replayed
          next: `afterimage verify` names what has drifted for it: the next change of a source item that it names mends it
    "#]]);
    let mut gone = with("startSequenceNumber", before.into());
    gone["DDBStreamBatchInfo"]["endSequenceNumber"] = before.into();
    albums.check(&gone, &expect![[r#"
        exit code 1
        error: the records of MESSAGE are no longer in their stream, which keeps them for 24 hours
          next: `afterimage verify` names what has drifted for it: the next change of a source item that it names mends it
    "#]]);
}

/// The product's views.
fn own() -> OwnViews {
    let views = afterimage::Views::compiled_in().expect("views");
    OwnViews { views, names: product_names() }
}

/// Their registry.
fn registry() -> Value {
    let registry = enrol_unseen(&own(), "us-east-1").expect("names");
    afterimage::attribute_value::item_to_json(&registry.to_item())
}

/// Replays a batch against a stream that gives these answers.
#[track_caller]
fn check_stream(answers: &[(u16, Value)], expected: &Expect) {
    let table = (200, json!({ "Table": {} }));
    let streams = (200, json!({ "Streams": [{ "StreamArn": AWS_STREAM }] }));
    let registry = (200, json!({ "Responses": { "afterimage-derived": [registry()] } }));
    let before = [table.clone(), registry, table.clone(), table, streams];
    let service = Service::start([&before, answers].concat());
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("message.json");
    let message =
        message(AWS_STREAM, "shard", ["800000000000000000007", "800000000000000000009"], 2);
    std::fs::write(&path, message.to_string()).expect("written");
    let path = path.to_str().expect("UTF-8");
    let run = to_its_end(&mut service.command(&["replay", "--aws", "--undelivered", path]));
    let mut text = format!("exit code {}\n{}", run.code.expect("one"), run.stderr);
    for request in &service.requests()[before.len()..] {
        text.push_str(&format!("{request}\n"));
    }
    expected.assert_eq(&text.replace(path, "MESSAGE"));
}

fn refused(code: &str) -> (u16, Value) {
    (400, json!({ "__type": code, "message": "why" }))
}

fn iterator() -> (u16, Value) {
    (200, json!({ "ShardIterator": "i" }))
}

#[test]
fn records_that_are_gone_are_told_from_an_iterator_that_is_too_old() {
    let later = json!({ "dynamodb": { "SequenceNumber": "900000000000000000000" } });
    let later = (200, json!({ "Records": [later], "NextShardIterator": "j" }));
    check_stream(
        &[refused("TrimmedDataAccessException"), iterator(), later.clone()],
        &expect![[r#"
            exit code 1
            error: the records of MESSAGE are no longer in their stream, which keeps them for 24 hours
              next: `afterimage verify` names what has drifted for it: the next change of a source item that it names mends it
            {"SequenceNumber":"800000000000000000007","ShardId":"shard","ShardIteratorType":"AT_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
            {"ShardId":"shard","ShardIteratorType":"TRIM_HORIZON","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
            {"Limit":1000,"ShardIterator":"i"}
        "#]],
    );
    let earlier = json!({ "dynamodb": { "SequenceNumber": "700000000000000000000" } });
    let earlier = (200, json!({ "Records": [earlier], "NextShardIterator": "j" }));
    let expired = refused("ExpiredIteratorException");
    let expires = [iterator(), earlier, expired, iterator(), later.clone()];
    check_stream(
        &expires,
        &expect![[r#"
            exit code 1
            error: the records of MESSAGE are no longer in their stream, which keeps them for 24 hours
              next: `afterimage verify` names what has drifted for it: the next change of a source item that it names mends it
            {"SequenceNumber":"800000000000000000007","ShardId":"shard","ShardIteratorType":"AT_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
            {"Limit":1000,"ShardIterator":"i"}
            {"Limit":1000,"ShardIterator":"j"}
            {"SequenceNumber":"700000000000000000000","ShardId":"shard","ShardIteratorType":"AFTER_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
            {"Limit":1000,"ShardIterator":"i"}
        "#]],
    );
    check_stream(
        &[refused("ResourceNotFoundException")],
        &expect![[r#"
        exit code 1
        error: the records of MESSAGE are no longer in their stream, which keeps them for 24 hours
          next: `afterimage verify` names what has drifted for it: the next change of a source item that it names mends it
        {"SequenceNumber":"800000000000000000007","ShardId":"shard","ShardIteratorType":"AT_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
    "#]],
    );
    check_stream(
        &[iterator(), (200, json!({ "Records": [] }))],
        &expect![[r#"
        exit code 1
        error: the records of MESSAGE are no longer in their stream, which keeps them for 24 hours
          next: `afterimage verify` names what has drifted for it: the next change of a source item that it names mends it
        {"SequenceNumber":"800000000000000000007","ShardId":"shard","ShardIteratorType":"AT_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
        {"Limit":1000,"ShardIterator":"i"}
    "#]],
    );
}

#[test]
fn an_answer_that_tells_no_records_is_no_empty_page() {
    check_stream(
        &[iterator(), (200, json!({ "NextShardIterator": "j" }))],
        &expect![[r#"
        exit code 1
        error: an answer of GetRecords has no `Records`
        {"SequenceNumber":"800000000000000000007","ShardId":"shard","ShardIteratorType":"AT_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
        {"Limit":1000,"ShardIterator":"i"}
    "#]],
    );
}

#[test]
fn a_refused_request_is_said() {
    check_stream(
        &[refused("AccessDeniedException")],
        &expect![[r#"
            exit code 1
            error: AWS does not allow this: AccessDeniedException
              because: unhandled error (AccessDeniedException)
              because: Error { code: "AccessDeniedException", message: "why" }
              next: use credentials whose policy allows what the cause names, and run the command again
            {"SequenceNumber":"800000000000000000007","ShardId":"shard","ShardIteratorType":"AT_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
        "#]],
    );
    check_stream(
        &[iterator(), refused("LimitExceededException")],
        &expect![[r#"
        exit code 1
        error: DynamoDB at AWS is too busy: LimitExceededException
          because: LimitExceededException: why
          next: wait a little, and run the command again: it is safe to repeat
        {"SequenceNumber":"800000000000000000007","ShardId":"shard","ShardIteratorType":"AT_SEQUENCE_NUMBER","StreamArn":"arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/2026-01-01T00:00:00.000"}
        {"Limit":1000,"ShardIterator":"i"}
    "#]],
    );
}

/// Lambda's message in a notification of a topic, in messages of a queue.
#[tokio::test(flavor = "multi_thread")]
async fn messages_are_read_out_of_their_envelopes() {
    let albums = Albums::new().await;
    let notification = |message: Value| json!({ "Type": "Notification", "TopicArn": "arn", "Message": message.to_string() });
    let listed = |message: Value| json!({ "MessageId": "1", "Body": message.to_string() });
    let mut in_s3 = albums.message(3, 3);
    in_s3["payload"] = json!({ "Records": [] }).to_string().into();
    albums.check(
        &json!([
            { "Messages": [listed(notification(albums.message(0, 0)))] },
            { "Records": [{ "EventSource": "aws:sns", "Sns": notification(albums.message(1, 2)) }] },
            in_s3,
        ]),
        &expect![[r#"
            exit code 0
            FILE  RECORD  EVENT  SEQUENCE NUMBER  VIEW  OUTCOME
            MESSAGE#1  1  INSERT  NUMBER 0  genre-counts  applied
            MESSAGE#2  1  INSERT  NUMBER 1  genre-counts  applied
            MESSAGE#2  2  INSERT  NUMBER 2  genre-counts  applied
            MESSAGE#3  1  INSERT  NUMBER 3  genre-counts  applied
            total: 4 applied
            consumed: 14 write units (3.50 per record), 4 read units
        "#]],
    );
    let counts = [counted("Jazz", "1"), counted("Rock", "2"), counted("Soul", "1")];
    assert_eq!(albums.counts(), counts);
}
