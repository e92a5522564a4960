//! What a table's stream says, by the rules of AWS.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue::{self, Bool, L, M, N, Null, S, Ss};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, KeySchemaElement, KeyType, Put, PutRequest,
    ScalarAttributeType, StreamSpecification, StreamViewType, TimeToLiveSpecification,
    TransactWriteItem, WriteRequest,
};
use aws_sdk_dynamodbstreams::types::{Record, SequenceNumberRange, ShardIteratorType};
use embedded_dynamodb::{Emulator, Storage};

const TABLE: &str = "things";

type Item = HashMap<String, AttributeValue>;

fn item(attributes: &[(&str, AttributeValue)]) -> Item {
    attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
}

fn key(id: &str) -> Item {
    item(&[("id", S(id.to_owned())), ("at", N("1".to_owned()))])
}

/// Whatever an item may hold.
fn thing() -> Item {
    let nested = item(&[("b.c", N("1.50".to_owned())), ("a", Null(true))]);
    let list = L(vec![M(nested.clone()), M(HashMap::new()), L(vec![])]);
    let mut thing = key("a");
    thing.extend(item(&[
        ("amount", N("100".to_owned())),
        ("tags", Ss(vec!["x".to_owned(), "y".to_owned()])),
        ("is", Bool(true)),
        ("text", S("a \"quoted\" \u{e9}".to_owned())),
        ("list", list),
        ("SS", M(nested)),
    ]));
    thing
}

struct Stream {
    emulator: Emulator,
    iterator: Option<String>,
}

impl Stream {
    /// Of a table that a client creates.
    async fn of_view_type(view_type: StreamViewType) -> Self {
        let emulator = Emulator::in_memory().await.expect("started");
        create_table(&emulator, view_type).await;
        Self { emulator, iterator: None }
    }

    async fn arn(&self) -> String {
        let streams = self.emulator.streams_client();
        let list = streams.list_streams().table_name(TABLE).send().await.expect("streams");
        list.streams()[0].stream_arn().expect("an ARN").to_owned()
    }

    async fn shard(&self) -> (String, SequenceNumberRange) {
        let streams = self.emulator.streams_client();
        let described = streams.describe_stream().stream_arn(self.arn().await).send().await;
        let described = described.expect("described").stream_description.expect("a description");
        let [shard] = described.shards() else { panic!("{described:?}") };
        let range = shard.sequence_number_range().expect("a range").clone();
        (shard.shard_id().expect("an id").to_owned(), range)
    }

    /// The records since the last look.
    async fn new_records(&mut self) -> Vec<Record> {
        let streams = self.emulator.streams_client();
        if self.iterator.is_none() {
            let request = streams.get_shard_iterator().stream_arn(self.arn().await);
            let request = request.shard_id(self.shard().await.0);
            let request = request.shard_iterator_type(ShardIteratorType::TrimHorizon);
            self.iterator = request.send().await.expect("an iterator").shard_iterator;
        }
        let page = streams.get_records().set_shard_iterator(self.iterator.take()).send().await;
        let page = page.expect("a page");
        self.iterator = page.next_shard_iterator;
        page.records.unwrap_or_default()
    }

    async fn check(&mut self, what: &str, expected: &[&str]) {
        let records = self.new_records().await;
        let names: Vec<_> =
            records.iter().filter_map(|it| Some(it.event_name()?.as_str())).collect();
        assert_eq!(names, expected, "{what}");
    }

    async fn put(&self, item: Item) {
        let put = self.emulator.client().put_item().table_name(TABLE).set_item(Some(item));
        put.send().await.expect("put");
    }

    async fn update(&self, expression: Option<&str>, value: Option<AttributeValue>) {
        let update = self.emulator.client().update_item().table_name(TABLE);
        let update = update.set_key(Some(key("a")));
        let update = update.set_update_expression(expression.map(str::to_owned));
        let values = value.map(|value| item(&[(":v", value)]));
        update.set_expression_attribute_values(values).send().await.expect("updated");
    }
}

async fn create_table(emulator: &Emulator, view_type: StreamViewType) {
    let of_key = |name, kind| {
        KeySchemaElement::builder().attribute_name(name).key_type(kind).build().expect("a key")
    };
    let attribute = |name, kind| {
        let attribute = AttributeDefinition::builder().attribute_name(name).attribute_type(kind);
        attribute.build().expect("an attribute")
    };
    let stream = StreamSpecification::builder().stream_enabled(true).stream_view_type(view_type);
    let create = emulator.client().create_table().table_name(TABLE);
    let create = create.billing_mode(BillingMode::PayPerRequest);
    let create = create.key_schema(of_key("id", KeyType::Hash));
    let create = create.key_schema(of_key("at", KeyType::Range));
    let create = create.attribute_definitions(attribute("id", ScalarAttributeType::S));
    let create = create.attribute_definitions(attribute("at", ScalarAttributeType::N));
    let create = create.stream_specification(stream.build().expect("a stream"));
    create.send().await.expect("created");
}

#[tokio::test]
async fn an_open_shard_has_a_start_and_no_end() {
    let mut stream = Stream::of_view_type(StreamViewType::NewImage).await;
    let (_, empty) = stream.shard().await;
    let start = empty.starting_sequence_number().expect("a start");
    assert_eq!(empty.ending_sequence_number(), None);
    stream.put(key("a")).await;
    stream.put(key("b")).await;
    assert_eq!(stream.shard().await.1, empty);
    for record in stream.new_records().await {
        let change = record.dynamodb.expect("a change");
        let number = change.sequence_number.expect("a number");
        assert!(start.len() == number.len() && start <= number.as_str(), "{start} {number}");
    }
    // A reader may begin there.
    let at_start = stream.emulator.streams_client().get_shard_iterator();
    let at_start = at_start.stream_arn(stream.arn().await).shard_id(stream.shard().await.0);
    let at_start = at_start.shard_iterator_type(ShardIteratorType::AtSequenceNumber);
    let at_start = at_start.sequence_number(start).send().await.expect("an iterator");
    stream.iterator = at_start.shard_iterator;
    stream.check("from the start", &["INSERT", "INSERT"]).await;
}

#[tokio::test]
async fn a_write_that_changes_nothing_makes_no_record() {
    for view_type in StreamViewType::values() {
        let view_type = StreamViewType::from(*view_type);
        let mut stream = Stream::of_view_type(view_type.clone()).await;
        stream.put(thing()).await;
        stream.check("a new item", &["INSERT"]).await;
        stream.put(thing()).await;
        stream.check("the same item", &[]).await;
        stream
            .put(thing().into_iter().chain(item(&[("amount", N("1E2".to_owned()))])).collect())
            .await;
        stream.check("a number in another notation", &[]).await;
        let turned = Ss(vec!["y".to_owned(), "x".to_owned()]);
        stream.put(thing().into_iter().chain(item(&[("tags", turned)])).collect()).await;
        stream.check("members of a set in another order", &[]).await;
        stream.update(Some("SET amount = :v"), Some(N("100.0".to_owned()))).await;
        stream.check("an update to the same value", &[]).await;
        stream.update(None, None).await;
        stream.check("an update of nothing", &[]).await;
        stream.update(Some("ADD tags :v"), Some(Ss(vec!["x".to_owned()]))).await;
        stream.check("a member that is there", &[]).await;
        stream.update(Some("REMOVE nowhere"), None).await;
        stream.check("a removal of what is not there", &[]).await;
        let client = stream.emulator.client();
        let put = PutRequest::builder().set_item(Some(thing())).build().expect("a put");
        let batch = vec![WriteRequest::builder().put_request(put).build()];
        client.batch_write_item().request_items(TABLE, batch).send().await.expect("written");
        stream.check("a batch of the same", &[]).await;
        let put = Put::builder().table_name(TABLE).set_item(Some(thing())).build().expect("a put");
        let other = Put::builder().table_name(TABLE).set_item(Some(key("b"))).build();
        let writes = client
            .transact_write_items()
            .transact_items(TransactWriteItem::builder().put(put).build())
            .transact_items(TransactWriteItem::builder().put(other.expect("a put")).build());
        writes.send().await.expect("written");
        stream.check("a transaction of the same and of a new item", &["INSERT"]).await;
        let delete = client.delete_item().table_name(TABLE).set_key(Some(key("nobody")));
        delete.send().await.expect("deleted");
        stream.check("a delete of what is not there", &[]).await;
        // As long as before, and yet another item.
        for (what, name, value) in [
            ("another number", "amount", N("101".to_owned())),
            ("another type", "amount", S("101".to_owned())),
            ("another member", "tags", Ss(vec!["x".to_owned(), "z".to_owned()])),
            ("another name", "texT", S("-".to_owned())),
        ] {
            stream.put(thing().into_iter().chain(item(&[(name, value)])).collect()).await;
            stream.check(what, &["MODIFY"]).await;
        }
        client.delete_item().table_name(TABLE).set_key(Some(key("a"))).send().await.expect("gone");
        stream.check("a delete", &["REMOVE"]).await;
        stream.put(thing()).await;
        stream.check("the same item again", &["INSERT"]).await;
    }
}

#[tokio::test]
async fn tables_made_before_this_version_and_tables_made_anew_keep_to_it_too() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("dynamodb.sqlite");
    let emulator = Emulator::start(Storage::File(path.clone()), 0).await.expect("started");
    create_table(&emulator, StreamViewType::NewImage).await;
    emulator.shutdown().await;
    let connection = rusqlite::Connection::open(&path).expect("a connection");
    connection
        .execute_batch(&format!("DROP TRIGGER \"{TABLE}::afterimage_unchanged_write\""))
        .expect("as an earlier version leaves it");
    drop(connection);
    let emulator = Emulator::start(Storage::File(path), 0).await.expect("started again");
    let mut stream = Stream { emulator, iterator: None };
    for _ in 0..2 {
        stream.put(thing()).await;
        stream.put(thing()).await;
        stream.check("twice the same", &["INSERT"]).await;
        let client = stream.emulator.client();
        client.delete_table().table_name(TABLE).send().await.expect("deleted");
        create_table(&stream.emulator, StreamViewType::NewImage).await;
        stream.iterator = None;
    }
}

#[tokio::test]
async fn tables_are_created_while_others_are_written() {
    let stream = Stream::of_view_type(StreamViewType::NewImage).await;
    let client = stream.emulator.client();
    let writes = async {
        for number in 0..200 {
            stream.put(key(&number.to_string())).await;
        }
    };
    let creations = async {
        for number in 0..20 {
            let of_key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
            let attribute = AttributeDefinition::builder().attribute_name("id");
            let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
            let create = client.create_table().table_name(format!("table-{number}"));
            let create = create.billing_mode(BillingMode::PayPerRequest);
            let create = create.key_schema(of_key.build().expect("a key"));
            let create = create.attribute_definitions(attribute.expect("an attribute"));
            // A retry would hide a failure.
            let once = aws_sdk_dynamodb::config::Builder::new()
                .retry_config(aws_sdk_dynamodb::config::retry::RetryConfig::disabled());
            create.customize().config_override(once).send().await.expect("created");
        }
    };
    tokio::join!(writes, creations);
}

#[tokio::test]
async fn items_expire_as_the_service_deletes_them() {
    let mut stream = Stream::of_view_type(StreamViewType::NewAndOldImages).await;
    let client = stream.emulator.client();
    let until = TimeToLiveSpecification::builder().attribute_name("until").enabled(true);
    let enabled = client
        .update_time_to_live()
        .table_name(TABLE)
        .time_to_live_specification(until.build().expect("a specification"));
    enabled.send().await.expect("enabled");
    let with = |id, until: &str| {
        key(id).into_iter().chain(item(&[("until", N(until.to_owned()))])).collect::<Item>()
    };
    stream.put(with("a", "1700000000")).await;
    stream.put(with("b", "32503680000")).await;
    stream.put(key("c")).await;
    assert_eq!(stream.new_records().await.len(), 3);
    assert_eq!(stream.emulator.expire_items().await.expect("swept"), 1);
    let [removal] = &stream.new_records().await[..] else { panic!("one record") };
    assert_eq!(removal.event_name().expect("a name").as_str(), "REMOVE");
    let identity = removal.user_identity().expect("an identity");
    assert_eq!(identity.r#type(), Some("Service"));
    assert_eq!(identity.principal_id(), Some("dynamodb.amazonaws.com"));
    let change = removal.dynamodb().expect("a change");
    assert!(change.old_image().is_some_and(|it| it.contains_key("until")));
    assert_eq!(stream.emulator.expire_items().await.expect("swept"), 0);
    let items = client.scan().table_name(TABLE).send().await.expect("scanned");
    assert_eq!(items.count(), 2);
}
