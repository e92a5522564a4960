//! A table of one's own: a views file, and no line of Rust.

use std::collections::BTreeMap;
use std::time::Instant;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::program::{command, run};
use crate::up::{Stack, client};

/// How long a stack may take to process what was written.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(60);

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// Puts an item into `afterimage-orders`.
async fn put(client: &Client, attributes: &[(&str, AttributeValue)]) {
    let item = attributes.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
    let put = client.put_item().table_name("afterimage-orders").set_item(Some(item));
    put.send().await.expect("a put");
}

/// Asks until every record is done.
pub fn drain(stack: &Stack) -> Value {
    let start = Instant::now();
    loop {
        let answer = stack.get("/local/status");
        let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
        let status: Value = serde_json::from_str(body).expect("JSON");
        if status["drained"] == true {
            return status;
        }
        assert!(start.elapsed() < PATIENCE, "not drained: {status}");
    }
}

/// The counts of a partition of `derived` that are not 0.
pub async fn counts(client: &Client, partition: &str) -> BTreeMap<String, String> {
    let query = client.query().table_name("afterimage-derived").consistent_read(true);
    let query = query.key_condition_expression("pk = :pk");
    let found = query.expression_attribute_values(":pk", text(partition)).send().await;
    let count = |item: &std::collections::HashMap<String, AttributeValue>| {
        let group = item["sk"].as_s().expect("a group").clone();
        (group, item["orders"].as_n().expect("a count").clone())
    };
    let counts = found.expect("a query").items().iter().map(count).collect::<BTreeMap<_, _>>();
    counts.into_iter().filter(|(_, count)| count != "0").collect()
}

#[tokio::test]
async fn the_example_counts_orders_and_knows_no_album() {
    let stack = Stack::start(&["--in-memory", "--views", "examples/orders/views.toml"]);
    let client = client(&stack.dynamodb_url);
    let tables = client.list_tables().send().await.expect("tables");
    assert_eq!(tables.table_names(), ["afterimage-derived", "afterimage-orders"]);
    assert!(stack.get("/api/albums").starts_with("HTTP/1.1 404"), "no route without its table");
    let key = |number: u32| [("customer", text("ada")), ("order_id", text(&number.to_string()))];
    for number in 0..60 {
        let status = if number % 3 == 0 { "paid" } else { "open" };
        let [customer, id] = key(number);
        put(&client, &[customer, id, ("status", text(status)), ("country", text("DE"))]).await;
    }
    for number in 0..10 {
        let [customer, id] = key(number);
        put(&client, &[customer, id, ("status", text("paid")), ("country", text("FR"))]).await;
    }
    for number in 50..60 {
        let key = key(number).map(|(name, value)| (name.to_owned(), value)).into();
        let delete = client.delete_item().table_name("afterimage-orders").set_key(Some(key));
        delete.send().await.expect("a delete");
    }
    for number in [20, 22] {
        let [customer, id] = key(number);
        put(&client, &[customer, id, ("status", AttributeValue::Null(true))]).await;
    }
    drain(&stack);
    let expected = |counts: &[(&str, &str)]| -> BTreeMap<String, String> {
        counts.iter().map(|(group, count)| ((*group).to_owned(), (*count).to_owned())).collect()
    };
    assert_eq!(
        counts(&client, "orders-by-status").await,
        expected(&[("open", "25"), ("paid", "23")])
    );
    assert_eq!(
        counts(&client, "paid-orders-by-country").await,
        expected(&[("DE", "13"), ("FR", "10")])
    );
    let more = ["--views", "examples/orders/views.toml", "--endpoint", &stack.dynamodb_url];
    let verified = run(&[&["verify"][..], &more].concat());
    assert_eq!(verified.code, Some(0), "{}{}", verified.stdout, verified.stderr);
    let parked = run(&[&["parked", "list"][..], &more].concat());
    assert!(parked.stdout.starts_with("nothing is parked"), "{}", parked.stdout);
    assert_eq!(stack.stop("INT"), Some(0));
}

/// The table whose keys these are counts, whatever the keys' types.
async fn check_keys(keys: &str, keys_of: impl Fn(u8) -> Vec<(&'static str, AttributeValue)>) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("views.toml");
    let views = r#"
        [[view]]
        name = "by-status"
        kind = "count"
        source = "orders"
        group_by = "status"
        remove = "retract"
        target = { table = "derived", pk = "by-status", sk = "{status}", count = "orders" }
    "#;
    std::fs::write(&file, format!("[table.orders]\n{keys}\n{views}")).expect("written");
    let stack = Stack::start(&["--in-memory", "--views", file.to_str().expect("UTF-8")]);
    let client = client(&stack.dynamodb_url);
    for number in 0..20 {
        let status = ("status", text(if number % 2 == 0 { "even" } else { "odd" }));
        put(&client, &[keys_of(number), vec![status]].concat()).await;
    }
    let key = keys_of(0).into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let delete = client.delete_item().table_name("afterimage-orders").set_key(Some(key));
    delete.send().await.expect("a delete");
    drain(&stack);
    let found = counts(&client, "by-status").await;
    let found: Vec<_> = found.iter().map(|(group, count)| format!("{group} {count}")).collect();
    assert_eq!(found, ["even 9", "odd 10"], "{keys}");
    assert_eq!(stack.stop("INT"), Some(0));
}

#[tokio::test]
async fn keys_are_strings_numbers_or_bytes_with_or_without_a_sort_key() {
    check_keys("partition_key = \"id\"", |number| vec![("id", text(&number.to_string()))]).await;
    check_keys(
        "partition_key = { name = \"id\", type = \"N\" }\nsort_key = { name = \"at\", type = \"N\" }",
        |number| {
            let number = AttributeValue::N(number.to_string());
            vec![("id", AttributeValue::N("7.50".to_owned())), ("at", number)]
        },
    )
    .await;
    check_keys("partition_key = { name = \"id\", type = \"B\" }\nsort_key = \"at\"", |number| {
        vec![("id", AttributeValue::B(Blob::new([number, 0]))), ("at", text("x"))]
    })
    .await;
}

#[test]
fn a_mistake_in_the_file_is_said_before_anything_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data) = (folder.path().join("views.toml"), folder.path().join("data"));
    let good = std::fs::read_to_string("../../examples/orders/views.toml").expect("the example");
    std::fs::write(&file, good.replace("source   = \"orders\"", "source   = \"order\""))
        .expect("written");
    let path = |it: &std::path::Path| it.to_str().expect("UTF-8").to_owned();
    let up = run(&["up", "--views", &path(&file), "--data-dir", &path(&data)]);
    assert_eq!(up.code, Some(1), "{}", up.stderr);
    let expected = "view `orders-by-status`, key `source`: there is no table `order` in this file; declare it in a section `[table.order]`, or name a declared one: `orders`";
    assert!(up.stderr.contains(expected), "{}", up.stderr);
    assert!(!data.exists(), "nothing was made");
}

#[test]
fn a_table_that_stands_with_other_keys_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data) = (folder.path().join("views.toml"), folder.path().join("data"));
    let path = |it: &std::path::Path| it.to_str().expect("UTF-8").to_owned();
    let example = ["--views", "examples/orders/views.toml", "--data-dir", &path(&data)];
    assert_eq!(Stack::start(&example).stop("INT"), Some(0));
    let text = std::fs::read_to_string("../../examples/orders/views.toml").expect("the example");
    std::fs::write(&file, text.replace("\"order_id\"", "\"order_number\"")).expect("written");
    let arguments = ["up", "--http-port", "0", "--dynamodb-port", "0", "--data-dir", &path(&data)];
    let up = command(&arguments).arg("--views").arg(&file).output().expect("the command runs");
    let said = String::from_utf8_lossy(&up.stderr);
    assert_eq!(up.status.code(), Some(1), "{said}");
    assert!(
        said.contains("stands with the keys customer (S), order_id (S), and the views file declares customer (S), order_number (S)"),
        "{said}"
    );
}

#[test]
fn a_view_that_its_mapping_would_starve_is_refused_before_anything_is_made() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, data) = (folder.path().join("views.toml"), folder.path().join("data"));
    let views = r#"
        [table.messages]
        partition_key = "pk"
        sort_key = "sk"
        [[view]]
        name = "messages-by-author"
        kind = "count"
        source = "messages"
        group_by = "user_uuid"
        remove = "retract"
        target = { table = "derived", pk = "by-author", sk = "{user_uuid}", count = "messages" }
    "#;
    std::fs::write(&file, views).expect("written");
    let path = |it: &std::path::Path| it.to_str().expect("UTF-8").to_owned();
    let up = run(&["up", "--views", &path(&file), "--data-dir", &path(&data)]);
    assert_eq!(up.code, Some(1), "{}", up.stderr);
    let expected = "view `messages-by-author`: the filters of the mapping MessagesMapping do not deliver every INSERT, MODIFY, REMOVE record that it needs; take the filters out, or add the pattern {\"eventName\":[\"INSERT\",\"MODIFY\",\"REMOVE\"]}";
    assert!(up.stderr.contains(expected), "{}", up.stderr);
    assert!(!data.exists(), "nothing was made");
    let check = run(&["views", "check", "--views", &path(&file)]);
    assert_eq!(check.code, Some(1), "{}", check.stderr);
    let permission = "view `messages-by-author`: the policies of the function StreamProcessor do not allow dynamodb:DeleteItem on the table `derived`; add a statement with `Effect: Allow` and `Action: [dynamodb:DeleteItem]` for it";
    assert_eq!(check.stdout, format!("{expected}\n{permission}\n"));
    assert_eq!(
        run(&["views", "check"]).stdout,
        "every view gets the records and permissions that it needs\n"
    );
}
