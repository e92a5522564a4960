//! The function's binary, run as Lambda runs it.

mod endings;
mod events;
mod log;
mod permissions;
mod registry;
mod start;

use afterimage::Views;
use afterimage::registry::OwnViews;
use afterimage_dynamodb::FileRegistration;
use afterimage_schema::Table;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};
use testkit::dynamodb::TestDynamoDb;
use testkit::lambda::{DeployedFunction, DynamoDbProxy, Function, Hold};
use testkit::stream_record::StreamRecord;

/// The tables of the product.
const ALBUMS: Table = Table::literal("albums");
const MESSAGES: Table = Table::literal("messages");

fn program() -> String {
    testkit::lambda::program("stream-processor", env!("CARGO_BIN_EXE_stream-processor"))
}

/// The tables, and a function that maintains them.
struct Deployment {
    tables: TestDynamoDb,
    client: Client,
    deployed: DeployedFunction,
}

impl Deployment {
    /// With the product's views registered.
    async fn new() -> Self {
        let deployment = Self::unregistered().await;
        let views = Views::compiled_in().expect("views");
        let own = OwnViews { views, names: deployment.tables.names().clone() };
        let registration = FileRegistration::prepare(deployment.client.clone(), &own).await;
        registration.expect("accepted").register().await.expect("registered");
        deployment
    }

    /// Without a registry.
    async fn unregistered() -> Self {
        let tables = TestDynamoDb::start().await;
        let client = tables.client();
        Self { tables, client, deployed: DeployedFunction::of_binary("stream-processor") }
    }

    /// A new process, and the proxy that it talks through; some of its calls may be held.
    async fn start(&self, hold: Option<Hold>) -> (Function, DynamoDbProxy) {
        let (url, names) = (self.tables.endpoint_url(), self.tables.names());
        let dynamodb = match hold {
            None => DynamoDbProxy::start(&url, names).await,
            Some(hold) => DynamoDbProxy::holding(&url, names, hold).await,
        };
        let variables = self.deployed.environment(names);
        let mut function = Function::start(&program(), &[], &variables, &dynamodb).await;
        function.ready().await;
        (function, dynamodb)
    }

    /// An attribute of an item, as text; `None` where it is not there.
    async fn attribute(&self, table: Table, key: (&str, &str), name: &str) -> Option<String> {
        let (pk, sk) = key;
        let get = self.client.get_item().table_name(self.tables.name(&table));
        let get = get.key("pk", text(pk)).key("sk", text(sk)).consistent_read(true);
        let item = get.send().await.expect("a read").item?;
        match item.get(name)? {
            AttributeValue::S(text) | AttributeValue::N(text) => Some(text.clone()),
            other => Some(format!("{other:?}")),
        }
    }

    /// How many albums of a genre are counted.
    async fn count(&self, genre: &str) -> Option<String> {
        self.attribute(Table::DERIVED, ("albums-by-genre", genre), "count").await
    }

    async fn put_row(&self, owner: &str, group: &str, sk: &str) {
        self.put_messages_item(&[
            ("pk", &format!("GRP#{owner}")),
            ("sk", sk),
            ("message_group_uuid", group),
            ("message", "old"),
        ])
        .await;
    }

    async fn put_messages_item(&self, attributes: &[(&str, &str)]) {
        let item = attributes.iter().map(|(name, it)| ((*name).to_owned(), text(it))).collect();
        let put = self.client.put_item().table_name(self.tables.name(&MESSAGES));
        put.set_item(Some(item)).send().await.expect("a put");
    }
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// What the response to a batch says: the sequence numbers that failed.
#[track_caller]
fn failed(response: &str) -> Vec<String> {
    let response: Value = serde_json::from_str(response).expect("JSON");
    let failures = response["batchItemFailures"].as_array().expect("a list");
    let number = |it: &Value| it["itemIdentifier"].as_str().expect("a number").to_owned();
    failures.iter().map(number).collect()
}

fn batch(records: &[Value]) -> String {
    json!({ "Records": records }).to_string()
}

/// A record of a table's stream; its image holds the keys.
fn record(table: &Table, number: u64, change: &str, keys: &[&str], image: &Value) -> Value {
    let record = StreamRecord::new(&table.default_name(), change, number);
    record.sequence_number(&format!("1{number:020}")).item(keys, image).json()
}

pub fn album(number: u64, genre: &str) -> Value {
    let image = json!({
        "Artist": {"S": format!("artist {number}")}, "Album": {"S": "first"}, "Genre": {"S": genre},
    });
    record(&ALBUMS, number, "INSERT", &["Artist", "Album"], &image)
}

fn message(number: u64, change: &str, group: &str, sk: &str, message: &str) -> Value {
    let image = json!({
        "pk": {"S": format!("MSG#{group}")}, "sk": {"S": sk}, "message": {"S": message},
    });
    record(&MESSAGES, number, change, &["pk", "sk"], &image)
}

fn row(number: u64, owner: &str, group: &str, sk: &str) -> Value {
    let image = json!({
        "pk": {"S": format!("GRP#{owner}")}, "sk": {"S": sk},
        "message_group_uuid": {"S": group}, "message": {"S": "old"},
    });
    record(&MESSAGES, number, "INSERT", &["pk", "sk"], &image)
}
