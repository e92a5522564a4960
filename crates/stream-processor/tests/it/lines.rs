//! The lines of real invocations.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use afterimage::Views;
use afterimage::record::Catalog;
use afterimage_dynamodb::{Processor, StreamEvent};
use afterimage_schema::Table;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use stream_processor::emf::NAMESPACE;
use stream_processor::{Request, StreamProcessor};
use test_dynamodb::TestDynamoDb;
use tokio::time::Instant;

/// What stands in every item, and may stand in no line.
const SECRET: &str = "between-you-and-me";

/// Everything that was written, in order.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Written {
    fn lines(&self) -> Vec<Value> {
        let bytes = self.0.lock().expect("a lock").clone();
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(!text.contains(SECRET), "an item's content is in a line:\n{text}");
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("a lock").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct World {
    dynamodb: TestDynamoDb,
    function: StreamProcessor,
    written: Written,
}

impl World {
    async fn new() -> Self {
        let dynamodb = TestDynamoDb::start().await;
        let catalog = Catalog::new(dynamodb.names().clone()).expect("definitions");
        let views = Views::compiled_in(&catalog).expect("views");
        let written = Written::default();
        let own = written.clone();
        let write_line = move |line: &str| writeln!(own.clone(), "{line}");
        let processor = Processor::new(dynamodb.client(), catalog, views);
        let function = StreamProcessor::new(processor, Box::new(write_line));
        Self { dynamodb, function, written }
    }

    /// Delivers records, with the log that the binary has: JSON, without times.
    async fn deliver(&self, request_id: &str, records: &[Value]) -> Vec<Value> {
        let event = json!({ "Records": records }).to_string();
        let event: StreamEvent = serde_json::from_str(&event).expect("an event");
        let own = self.written.clone();
        let log = tracing_subscriber::fmt()
            .with_target(false)
            .without_time()
            .json()
            .with_writer(move || own.clone());
        let before = self.written.lines().len();
        let guard = tracing::subscriber::set_default(log.finish());
        let deadline = Instant::now() + Duration::from_secs(60);
        let request = Request { function_name: "under-test", request_id, deadline };
        self.function.handle(&event, request).await;
        drop(guard);
        self.written.lines().split_off(before)
    }

    fn album(&self, number: u64, album: &str, genre: Value) -> Value {
        let keys = json!({"Artist": {"S": "AC/DC"}, "Album": {"S": album}});
        let mut image = keys.clone();
        image["Genre"] = genre;
        image["Note"] = json!({ "S": SECRET });
        json!({
            "eventName": "INSERT",
            "eventSourceARN": format!(
                "arn:aws:dynamodb:us-east-1:1:table/{}/stream/2026-01-01T00:00:00.000",
                self.dynamodb.names().name(Table::Albums)
            ),
            "dynamodb": {
                "ApproximateCreationDateTime": 1_767_600_600,
                "Keys": keys,
                "NewImage": image,
                "SequenceNumber": format!("{number:021}"),
            },
        })
    }

    /// A batch with a record of each kind: applied, parked, and one that fails.
    async fn mixed_batch(&self) -> Vec<Value> {
        let put = self.dynamodb.client().put_item();
        let put = put.table_name(self.dynamodb.names().name(Table::Derived));
        let put = put.item("pk", AttributeValue::S("albums-by-genre".to_owned()));
        let put = put.item("sk", AttributeValue::S("Broken".to_owned()));
        put.item("count", AttributeValue::S("many".to_owned())).send().await.expect("a put");
        let records = [
            self.album(1, "Powerage", json!({ "S": "Rock" })),
            self.album(2, "Flick of the Switch", json!({ "L": [{ "S": SECRET }] })),
            self.album(3, "Fly on the Wall", json!({ "S": "Broken" })),
        ];
        self.deliver("first", &records).await
    }
}

/// The rules of the format: whoever reads a line finds all that its metrics need at its root.
#[track_caller]
fn check_metrics(line: &Value) {
    assert!(line["_aws"]["Timestamp"].as_i64().is_some_and(|it| it > 1_700_000_000_000), "{line}");
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().expect("directives");
    assert!(!directives.is_empty(), "{line}");
    for directive in directives {
        assert_eq!(directive["Namespace"], NAMESPACE, "{line}");
        let sets = directive["Dimensions"].as_array().expect("dimension sets");
        assert!(!sets.is_empty(), "{line}");
        for name in sets.iter().flat_map(|set| set.as_array().expect("a dimension set")) {
            let value = line[name.as_str().expect("a name")].as_str().expect("a text");
            assert!((1..=1024).contains(&value.len()) && value.is_ascii(), "{line}");
        }
        let metrics = directive["Metrics"].as_array().expect("metrics");
        assert!((1..=100).contains(&metrics.len()), "{line}");
        for metric in metrics {
            let name = metric["Name"].as_str().expect("a name");
            assert!(line[name].is_number(), "{name} in {line}");
            let unit = metric["Unit"].as_str().expect("a unit");
            assert!(["Count", "Milliseconds", "Seconds"].contains(&unit), "{line}");
        }
    }
    assert!(line.to_string().len() < 256 * 1024, "as long as a log event may be");
}

#[tokio::test]
async fn an_invocation_writes_metrics_by_the_rules_before_it_returns() {
    let world = World::new().await;
    let lines = world.mixed_batch().await;
    let with_metrics: Vec<_> = lines.iter().filter(|line| line.get("_aws").is_some()).collect();
    with_metrics.iter().for_each(|line| check_metrics(line));
    let counted = with_metrics.iter().filter(|line| line["message"] == "outcome counted");
    let counted: BTreeMap<_, _> = counted
        .map(|line| {
            let name = |field: &str| line[field].as_str().expect("a name").to_owned();
            ((name("View"), name("Outcome")), line["record_count"].as_u64())
        })
        .collect();
    let expected = ["applied", "failed", "parked"]
        .map(|outcome| (("genre-counts".to_owned(), outcome.to_owned()), Some(1)));
    assert_eq!(counted, BTreeMap::from(expected));
    let lag = with_metrics.iter().find(|line| line["message"] == "view updated").expect("a view");
    assert!(lag["view_lag_seconds"].as_f64().is_some_and(|lag| lag > 0.0), "{lag}");
}

#[tokio::test]
async fn an_invocation_is_one_wide_event() {
    let world = World::new().await;
    let lines = world.mixed_batch().await;
    let wide: Vec<_> = lines.iter().filter(|line| line["message"] == "batch processed").collect();
    let [wide] = wide[..] else { unreachable!("one for the invocation: {wide:?}") };
    for (field, expected) in [
        ("record_count", json!(3)),
        ("failed_count", json!(1)),
        ("parked_count", json!(1)),
        ("duplicate_count", json!(0)),
        ("outcomes", json!({ "genre-counts": { "applied": 1, "failed": 1, "parked": 1 } })),
        ("lowest_failed_sequence_number", json!("000000000000000000003")),
        ("cold_start", json!(true)),
        ("requestId", json!("first")),
        ("level", json!("INFO")),
    ] {
        assert_eq!(wide[field], expected, "{field} in {wide}");
    }
    for field in ["write_units", "read_units", "transaction_count", "oldest_record_lag_ms"] {
        assert!(wide[field].as_f64().is_some_and(|it| it > 0.0), "{field} in {wide}");
    }
    for field in ["conflict_count", "retry_count", "duration_ms"] {
        assert!(wide[field].is_u64(), "{field} in {wide}");
    }

    let again = [world.album(1, "Powerage", json!({ "S": "Rock" }))];
    let lines = world.deliver("second", &again).await;
    let wide = lines.iter().find(|line| line["message"] == "batch processed").expect("it");
    assert_eq!(wide["cold_start"], false);
    assert_eq!(wide["duplicate_count"], 1);
    assert!(wide.get("lowest_failed_sequence_number").is_none(), "{wide}");
}

#[tokio::test]
async fn each_parked_or_failed_record_is_told_by_its_ids() {
    let world = World::new().await;
    let lines = world.mixed_batch().await;
    let of = |message: &str| -> Vec<Value> {
        let found = lines.iter().filter(|line| line["fields"]["message"] == message);
        found.map(|line| line["fields"].clone()).collect()
    };
    let [parked] = &of("record parked")[..] else { unreachable!("one is parked: {lines:?}") };
    assert_eq!(parked["view"], "genre-counts");
    assert_eq!(parked["sequence_number"], "000000000000000000002");
    assert_eq!(parked["stream_label"], "2026-01-01T00:00:00.000");
    let id = "genre-counts#2026-01-01T00:00:00.000#000000000000000000002";
    assert_eq!(parked["parked_id"], id);
    assert!(parked["reason"].is_string());
    let [failed] = &of("record failed, to be delivered again")[..] else {
        unreachable!("one fails: {lines:?}")
    };
    assert_eq!(failed["view"], "genre-counts");
    assert_eq!(failed["table"], world.dynamodb.names().name(Table::Albums));
    assert_eq!(failed["sequence_number"], "000000000000000000003");
}

#[tokio::test]
async fn what_cannot_be_written_costs_no_record() {
    let dynamodb = TestDynamoDb::start().await;
    let catalog = Catalog::new(dynamodb.names().clone()).expect("definitions");
    let views = Views::compiled_in(&catalog).expect("views");
    let processor = Processor::new(dynamodb.client(), catalog, views);
    let closed = |_: &str| Err(io::Error::from(io::ErrorKind::BrokenPipe));
    let function = StreamProcessor::new(processor, Box::new(closed));
    let world = World { dynamodb, function, written: Written::default() };
    let record = world.album(1, "Powerage", json!({ "S": "Rock" }));
    let lines = world.deliver("first", &[record]).await;
    let messages: Vec<_> = lines.iter().map(|line| &line["fields"]["message"]).collect();
    assert_eq!(messages, ["metrics not written"; 3]);
}
