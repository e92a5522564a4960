//! A views file that is not what is registered, and data from before there was a registry.

use std::path::{Path, PathBuf};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use embedded_dynamodb::{Emulator, Storage};
use serde_json::Value;
use testkit::dynamodb::{product_names, product_tables};

use crate::own_tables::{counts, drain};
use crate::program::{Run, command};
use crate::up::{Stack, client};

const EXAMPLE: &str = include_str!("../../../../examples/orders/views.toml");

/// The example's views in a folder, beside a data dir.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    fn file(&self, views: &str) -> PathBuf {
        let path = self.folder.path().join("views.toml");
        std::fs::write(&path, views).expect("written");
        path
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A stack on the data dir, with these views.
    fn start(&self, views: &str) -> Stack {
        let (file, data) = (self.file(views), self.data());
        Stack::start(&["--no-seed", "--views", text(&file), "--data-dir", text(&data)])
    }

    /// `up` that must not start.
    fn refused(&self, views: &str) -> String {
        let (file, data) = (self.file(views), self.data());
        let ports = ["up", "--http-port", "0", "--dynamodb-port", "0", "--no-seed"];
        let more = ["--views", text(&file), "--data-dir", text(&data)];
        let run = run_to_its_end(&[&ports[..], &more[..]].concat());
        assert_eq!(run.code, Some(1), "{}", run.stderr);
        run.stderr
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn run_to_its_end(arguments: &[&str]) -> Run {
    let output = command(arguments).output().expect("the command runs");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

async fn put_order(client: &Client, number: u32, status: &str) {
    let value = |text: &str| AttributeValue::S(text.to_owned());
    let put = client.put_item().table_name("afterimage-orders").item("customer", value("ada"));
    let put = put.item("order_id", value(&number.to_string())).item("status", value(status));
    put.item("country", value("DE")).send().await.expect("a put");
}

fn changed() -> String {
    let changed = EXAMPLE.replace("\"retract\"", "\"skip\"");
    assert_ne!(changed, EXAMPLE);
    changed
}

#[tokio::test]
async fn a_changed_definition_is_refused_by_every_command_and_writes_nothing() {
    let place = Place::new();
    let stack = place.start(EXAMPLE);
    let orders = client(&stack.dynamodb_url);
    for number in 0..3 {
        put_order(&orders, number, "paid").await;
    }
    drain(&stack);
    let derived = || {
        let scan = ["scan", "derived", "--endpoint", &stack.dynamodb_url, "--output", "json"];
        run_to_its_end(&scan).stdout
    };
    let before = derived();
    let file = place.file(&changed());
    let event = "../../events/stream/album-insert.json";
    for arguments in [&["replay", event][..], &["parked", "retry", "--all"], &["verify"]] {
        let more = ["--views", text(&file), "--endpoint", &stack.dynamodb_url];
        let run = run_to_its_end(&[arguments, &more[..]].concat());
        assert_eq!(run.code, Some(1), "{arguments:?} {}", run.stderr);
        let expected = "view `orders-by-status`, key `remove`: the registry has \"retract\", the file has \"skip\"";
        assert!(run.stderr.contains(expected), "{arguments:?} {}", run.stderr);
        assert!(run.stderr.contains("next: write the registered value in the file again"));
    }
    let more = ["--endpoint", &stack.dynamodb_url, "--http-url", &stack.http_url];
    let status = run_to_its_end(&[&["status", "--views", text(&file)], &more[..]].concat());
    assert!(status.stdout.contains("note: view `orders-by-status`, key `remove`"), "{status:?}");
    assert_eq!(derived(), before);
    assert_eq!(stack.stop("INT"), Some(0));

    let said = place.refused(&changed());
    assert!(said.contains("view `orders-by-status`, key `remove`"), "{said}");
    let stack = place.start(EXAMPLE);
    let status = drain(&stack);
    let live = serde_json::json!([
        { "view": "orders-by-status", "generation": 1, "state": "live" },
        { "view": "paid-by-country", "generation": 1, "state": "live" },
    ]);
    assert_eq!((&status["generations"], &status["differences"]), (&live, &serde_json::json!([])));
    let found = counts(&client(&stack.dynamodb_url), "orders-by-status").await;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("paid".to_owned(), "3".to_owned())]);
    assert_eq!(stack.stop("INT"), Some(0));
}

#[tokio::test]
async fn a_view_that_the_file_has_lost_goes_on_and_a_new_one_needs_an_empty_table() {
    let place = Place::new();
    let (first, second) = EXAMPLE.rsplit_once("[[view]]").expect("two views");
    let stack = place.start(EXAMPLE);
    put_order(&client(&stack.dynamodb_url), 1, "paid").await;
    drain(&stack);
    assert_eq!(stack.stop("INT"), Some(0));

    let stack = place.start(first);
    put_order(&client(&stack.dynamodb_url), 2, "paid").await;
    let status = drain(&stack);
    let lost = "view `paid-by-country` is registered and not in the file: it is maintained";
    assert_eq!(status["differences"], serde_json::json!([lost]));
    let found = counts(&client(&stack.dynamodb_url), "paid-orders-by-country").await;
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [("DE".to_owned(), "2".to_owned())]);
    assert_eq!(stack.stop("INT"), Some(0));

    let third = second.replace("by-country", "by-land");
    let said = place.refused(&[EXAMPLE, "[[view]]", &third].concat());
    let expected =
        "view `paid-by-land` is not registered, and its table `afterimage-orders` holds items";
    assert!(said.contains(expected), "{said}");
}

/// Puts what a version without a registry left, as it dumped it.
async fn put_dump(client: &Client, table: &str, lines: &str) {
    for line in lines.lines() {
        let item: Value = serde_json::from_str(line).expect("JSON");
        let item = item.as_object().expect("an item").iter();
        let item = item.map(|(name, value)| (name.clone(), to_sdk(value))).collect();
        let put = client.put_item().table_name(table).set_item(Some(item));
        put.send().await.expect("a put");
    }
}

fn to_sdk(value: &Value) -> AttributeValue {
    let (kind, value) = value.as_object().and_then(|it| it.iter().next()).expect("a typed value");
    let text = || value.as_str().expect("a text").to_owned();
    match kind.as_str() {
        "S" => AttributeValue::S(text()),
        "B" => AttributeValue::B(Blob::new(STANDARD.decode(text()).expect("base64"))),
        "N" => AttributeValue::N(text()),
        "BOOL" => AttributeValue::Bool(value.as_bool().expect("it")),
        "L" => AttributeValue::L(value.as_array().expect("a list").iter().map(to_sdk).collect()),
        "M" => {
            let members = value.as_object().expect("a map").iter();
            AttributeValue::M(members.map(|(name, it)| (name.clone(), to_sdk(it))).collect())
        }
        other => panic!("{other} is not in the dump"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_version_0_1_goes_on_as_generation_1() {
    let place = Place::new();
    std::fs::create_dir_all(place.data()).expect("a folder");
    let database = Storage::File(place.data().join("dynamodb.sqlite"));
    let emulator = Emulator::start(database, 0).await.expect("an emulator");
    emulator.create_tables(&product_tables(), &product_names()).await.expect("tables");
    let dump = [
        ("afterimage-albums", include_str!("../version-0.1/albums.jsonl")),
        ("afterimage-messages", include_str!("../version-0.1/messages.jsonl")),
        ("afterimage-derived", include_str!("../version-0.1/derived.jsonl")),
    ];
    for (table, lines) in dump {
        put_dump(&emulator.client(), table, lines).await;
    }
    emulator.shutdown().await;

    let shipped = include_str!("../../../../views.toml");
    let stack = place.start(shipped);
    let status = drain(&stack);
    let building = serde_json::json!([
        { "view": "genre-counts", "generation": 1, "state": "building" },
        { "view": "message-groups", "generation": 1, "state": "building" },
    ]);
    assert_eq!(status["generations"], building);
    let file = place.file(shipped);
    let verify = || {
        let more = ["--views", text(&file), "--endpoint", &stack.dynamodb_url, "--patience", "1"];
        run_to_its_end(&[&["verify"], &more[..]].concat())
    };
    let first = verify();
    assert_eq!(first.code, Some(0), "{first:?}");
    let albums = client(&stack.dynamodb_url);
    let value = |text: &str| AttributeValue::S(text.to_owned());
    let delete = albums.delete_item().table_name("afterimage-albums").key("Artist", value("Ella"));
    delete.key("Album", value("Third")).send().await.expect("a deletion");
    let put = albums.put_item().table_name("afterimage-albums").item("Artist", value("Ella"));
    let put = put.item("Album", value("Second")).item("Genre", value("Swing"));
    put.send().await.expect("a put");
    drain(&stack);
    let second = verify();
    assert_eq!(second.code, Some(0), "{second:?}");
    let genres = stack.get("/api/genres");
    assert!(
        genres.ends_with(r#"{"genres":[{"genre":"Jazz","count":1},{"genre":"Swing","count":1}]}"#),
        "{genres}"
    );
    assert_eq!(stack.stop("INT"), Some(0));
}
