//! Tables and what the commands make of them, with records made by hand.

use std::path::PathBuf;

use embedded_dynamodb::Emulator;
use serde_json::{Value, json};
use testkit::dynamodb::{product_names, product_tables};
use testkit::stream_record::StreamRecord;

use crate::program::{Run, command};

/// Tables, and a folder for events and views.
pub struct World {
    pub emulator: Emulator,
    folder: tempfile::TempDir,
}

/// The views with the tables of the product, if they declare none.
fn with_tables(views: &str) -> String {
    let shipped = include_str!("../../../../views.toml");
    let (tables, _) = shipped.split_once("[[view]]").expect("views");
    if views.contains("[table.") { views.to_owned() } else { [tables, views].concat() }
}

impl World {
    pub async fn new() -> Self {
        let emulator = Emulator::in_memory().await.expect("an emulator");
        emulator.create_tables(&product_tables(), &product_names()).await.expect("tables");
        Self { emulator, folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn endpoint(&self) -> String {
        self.emulator.endpoint_url()
    }

    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        std::fs::write(&path, text).expect("written");
        path
    }

    /// Runs a command with views of these definitions, or those compiled in.
    pub fn run(&self, views: Option<&str>, arguments: &[&str]) -> Run {
        let endpoint = self.endpoint();
        let mut command = command(&[arguments, &["--endpoint", &endpoint]].concat());
        if let Some(views) = views {
            command.env("AFTERIMAGE_VIEWS", self.file("views.toml", &with_tables(views)));
        }
        let output = command.output().expect("the command runs");
        Run {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("UTF-8"),
        }
    }

    /// Removes the registry, so that the next views are registered as if they were the first.
    pub async fn forget_registry(&self) {
        let text = |text: &str| aws_sdk_dynamodb::types::AttributeValue::S(text.to_owned());
        let delete = self.emulator.client().delete_item().table_name("afterimage-derived");
        let delete = delete.key("pk", text("registry")).key("sk", text("views"));
        delete.send().await.expect("a deletion");
    }

    /// Delivers records, and gives the words of their outcomes.
    pub fn deliver(&self, views: Option<&str>, records: &[Value]) -> String {
        let event = self.file("event.json", &json!({ "Records": records }).to_string());
        let path = event.to_str().expect("UTF-8");
        let run = self.run(views, &["replay", path, "--output", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).expect("a report");
        let records = report["records"].as_array().expect("records").iter();
        records.map(|it| it["outcome"].as_str().expect("it")).collect::<Vec<_>>().join(" ")
    }

    pub fn parked(&self, arguments: &[&str]) -> Value {
        let run = self.run(None, &[&["parked"], arguments, &["--output", "json"]].concat());
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"))
    }

    pub fn ids(&self) -> Vec<String> {
        let list = self.parked(&["list"]);
        let records = list["records"].as_array().expect("records").iter();
        records.map(|it| it["id"].as_str().expect("an id").to_owned()).collect()
    }

    /// Tries everything again; the exit code, and each outcome with what became of the record.
    pub fn retry_all(&self, views: Option<&str>) -> (Option<i32>, Vec<String>) {
        let run = self.run(views, &["parked", "retry", "--all", "--output", "json"]);
        let report: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}"));
        let records = report["records"].as_array().expect("records").iter();
        let words = records.map(|it| {
            let outcomes = it["outcomes"].as_object().expect("outcomes");
            let words: Vec<_> = outcomes.values().map(|it| it.as_str().expect("it")).collect();
            let removed = if it["removed"] == true { "removed" } else { "stays" };
            format!("{} {removed}", words.join("+"))
        });
        (run.code, words.collect())
    }

    /// The counts by group.
    pub fn counts(&self, partition: &str) -> Vec<(String, String)> {
        let scan = self.run(None, &["scan", "derived", "--output", "json"]);
        let items = scan.stdout.lines().map(|line| serde_json::from_str(line).expect("an item"));
        let mut counts: Vec<_> = items
            .filter(|item: &Value| item["pk"]["S"] == partition)
            .map(|item| {
                let text = |pointer| {
                    item.pointer(pointer).and_then(Value::as_str).expect("a text").to_owned()
                };
                (text("/sk/S"), text("/count/N"))
            })
            .collect();
        counts.sort();
        counts
    }

    pub fn rows(&self) -> Vec<String> {
        let scan = self.run(None, &["scan", "messages"]);
        let rows = scan.stdout.lines().filter(|line| line.contains("GRP#"));
        let mut rows: Vec<_> = rows.map(str::to_owned).collect();
        rows.sort();
        rows
    }
}

/// A record of a stream.
pub fn record(table: &str, number: u64, keys: Value, more: Value) -> Value {
    let mut image = keys.clone();
    let Value::Object(more) = more else { panic!("attributes") };
    for (name, value) in more {
        image[name] = value;
    }
    let record = StreamRecord::new(&format!("afterimage-{table}"), "MODIFY", number);
    record.keys(keys).image(image).json()
}

/// A record of an album with one attribute.
pub fn album(number: u64, album: &str, attribute: &str, value: Value) -> Value {
    let keys = json!({"Artist": {"S": "AC/DC"}, "Album": {"S": album}});
    let mut record = record("albums", number, keys, json!({}));
    record["dynamodb"]["NewImage"][attribute] = value;
    record
}

/// The shipped view of messages, with as many rows as given.
pub fn messages_view(rows_max: usize, copy: &str) -> String {
    format!(
        r#"
        [[view]]
        name     = "message-groups"
        kind     = "latest"
        source   = "messages"
        where    = {{ pk = {{ prefix = "MSG#" }} }}
        group_by = {{ attribute = "pk", strip_prefix = "MSG#" }}
        order_by = "sk"
        copy     = ["{copy}"]
        rows     = {{ where = {{ pk = {{ prefix = "GRP#" }} }}, group = "message_group_uuid", index = "message-group-sk-index", max = {rows_max} }}
        remove   = "skip"
        "#
    )
}

pub async fn put_row(world: &World, owner: &str, attributes: &[(&str, String)]) {
    use aws_sdk_dynamodb::types::AttributeValue::S;
    let mut put = world.emulator.client().put_item().table_name("afterimage-messages");
    put = put.item("pk", S(format!("GRP#{owner}"))).item("sk", S("t0".to_owned()));
    put = put.item("message_group_uuid", S("g".to_owned()));
    for (name, text) in attributes {
        put = put.item(*name, S(text.clone()));
    }
    put.send().await.expect("a put");
}

pub fn message(number: u64, order: &str, text: &str) -> Value {
    let keys = json!({"pk": {"S": "MSG#g"}, "sk": {"S": order}});
    record("messages", number, keys, json!({"message": {"S": text}}))
}
