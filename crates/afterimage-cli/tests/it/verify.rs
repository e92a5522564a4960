//! `verify`: drift is named, and nothing else is taken for it.

mod parked;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::program::run;
use crate::up::{Stack, client};
use crate::world::{World, album, message, put_row};

pub type Item = HashMap<String, AttributeValue>;

pub fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

impl World {
    /// Puts the item of a record into its table, and delivers the record.
    async fn write(&self, views: Option<&str>, record: Value) {
        self.put_image(&record).await;
        let words = self.deliver(views, std::slice::from_ref(&record));
        assert!(!words.contains("failed") && !words.contains("parked"), "{words}");
    }

    /// The same for a record that is parked.
    pub async fn write_parked(&self, record: Value) {
        self.put_image(&record).await;
        assert_eq!(self.deliver(None, &[record]), "parked");
    }

    async fn put_image(&self, record: &Value) {
        let image = record["dynamodb"]["NewImage"].as_object().expect("an image");
        let arn = record["eventSourceARN"].as_str().expect("an ARN");
        let table = arn.split(['/']).nth(1).expect("a table");
        let value = |value: &Value| text(value["S"].as_str().expect("a text"));
        let item = image.iter().map(|(name, it)| (name.clone(), value(it))).collect();
        self.put(table, &item).await;
    }

    async fn get(&self, table: &str, pk: &str, sk: &str) -> Item {
        let get = self.emulator.client().get_item().table_name(table);
        let got = get.key("pk", text(pk)).key("sk", text(sk)).send().await.expect("an answer");
        got.item.unwrap_or_else(|| panic!("{pk} / {sk}"))
    }

    pub async fn put(&self, table: &str, item: &Item) {
        let put = self.emulator.client().put_item().table_name(table);
        put.set_item(Some(item.clone())).send().await.expect("a put");
    }

    pub async fn delete(&self, table: &str, item: &Item) {
        let keys = match table {
            "afterimage-albums" => ["Artist", "Album"],
            _ => ["pk", "sk"],
        };
        let mut delete = self.emulator.client().delete_item().table_name(table);
        for key in keys {
            delete = delete.key(key, item[key].clone());
        }
        delete.send().await.expect("deleted");
    }

    /// Verifies without patience; the exit code and the report.
    pub fn verify(&self, views: Option<&str>) -> (Option<i32>, Value) {
        let run = self.run(views, &["verify", "--patience", "0", "--output", "json"]);
        assert_eq!(run.stderr, "");
        (run.code, serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{run:?}")))
    }

    /// What drifted, an item a line.
    #[track_caller]
    pub fn check_drift(&self, expected: &[&str]) {
        let (code, report) = self.verify(None);
        let views = report["views"].as_array().expect("views").iter();
        let drift = views.flat_map(|view| view["drift"].as_array().expect("drift"));
        let word = |it: &Value, name: &str| it[name].as_str().expect("a text").to_owned();
        let lines: Vec<_> = drift
            .map(|it| {
                format!("{}: {}, not {}", word(it, "item"), word(it, "expected"), word(it, "found"))
            })
            .collect();
        assert_eq!(lines, expected);
        assert_eq!(code, Some(i32::from(!expected.is_empty())));
    }
}

/// Two albums, and a conversation of two.
pub async fn small_world() -> World {
    let world = World::new().await;
    world.write(None, album(1, "A", "Genre", json!({"S": "Rock"}))).await;
    world.write(None, album(2, "B", "Genre", json!({"S": "Rock"}))).await;
    put_row(&world, "ada", &[("message", "before".to_owned())]).await;
    put_row(&world, "lin", &[("message", "before".to_owned())]).await;
    world.write(None, message(1, "t1", "hello")).await;
    world.check_drift(&[]);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clean_stack_has_no_drift_and_the_result_is_kept() {
    let stack = Stack::start(&["--in-memory"]);
    let is_drained = || stack.get("/local/status").contains("\"drained\":true");
    assert!((0..20_000).any(|_| is_drained()), "{}", stack.get("/local/status"));
    let url = stack.dynamodb_url.clone();
    for _ in 0..2 {
        let verified = run(&["verify", "--endpoint", &url]);
        assert_eq!((verified.code, verified.stderr.as_str()), (Some(0), ""), "{}", verified.stdout);
        let lines: Vec<&str> = verified.stdout.lines().collect();
        assert!(lines[0].starts_with("genre-counts: no drift; "), "{lines:?}");
        assert!(lines[1].starts_with("message-groups: no drift; "), "{lines:?}");
        assert!(lines[2].starts_with("consumed: ") && lines.len() == 3, "{lines:?}");
    }
    let one = run(&["verify", "genre-counts", "--segments", "1", "--endpoint", &url]);
    assert_eq!((one.code, one.stdout.lines().count()), (Some(0), 2), "{one:?}");
    let scan = run(&["scan", "derived", "--endpoint", &url]);
    let kept = |view: &str| {
        let line = scan.stdout.lines().find(|it| it.starts_with(&format!("pk=verify#{view}")));
        line.unwrap_or_else(|| panic!("{}", scan.stdout)).contains("drift_count=0")
    };
    assert!(kept("genre-counts") && kept("message-groups"));
    assert!(stack.get("/api/genres").starts_with("HTTP/1.1 200"));
    let unknown = run(&["verify", "nothing", "--endpoint", &url]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    assert_eq!(stack.stop("INT"), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_that_was_changed_is_drift() {
    let world = small_world().await;
    let derived = "afterimage-derived";
    let count = world.get(derived, "albums-by-genre", "Rock").await;
    for (found, said) in [
        (AttributeValue::N("7".to_owned()), "7"),
        (AttributeValue::N("-1".to_owned()), "-1"),
        (text("many"), "no whole number"),
    ] {
        let mut wrong = count.clone();
        wrong.insert("count".to_owned(), found);
        world.put(derived, &wrong).await;
        world.check_drift(&[&format!("albums-by-genre / Rock: 2, not {said}")]);
    }
    world.delete(derived, &count).await;
    world.check_drift(&["albums-by-genre / Rock: 2, not 0"]);
    let mut foreign = count.clone();
    foreign.insert("sk".to_owned(), text("Polka"));
    world.put(derived, &foreign).await;
    world.put(derived, &count).await;
    world.check_drift(&["albums-by-genre / Polka: 0, not 2"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_entry_that_was_changed_is_drift() {
    let world = small_world().await;
    let derived = "afterimage-derived";
    let all = world.emulator.client().scan().table_name(derived).send().await.expect("a scan");
    let is_entry = |item: &&Item| matches!(item.get("source_key"), Some(AttributeValue::M(key)) if key["Album"] == text("A"));
    let entry = all.items().iter().find(is_entry).cloned().expect("an entry");
    let mut moved = entry.clone();
    moved.insert("group".to_owned(), text("Jazz"));
    world.put(derived, &moved).await;
    let name = "ledger entry of AC/DC / A";
    world.check_drift(&[&format!("{name}: counted in Rock, not counted in Jazz")]);
    // Count and ledger agree with each other, and not with the table.
    let count = world.get(derived, "albums-by-genre", "Rock").await;
    let mut wrong = count.clone();
    wrong.insert("count".to_owned(), AttributeValue::N("1".to_owned()));
    world.put(derived, &wrong).await;
    wrong.insert("sk".to_owned(), text("Jazz"));
    world.put(derived, &wrong).await;
    world.check_drift(&[
        "albums-by-genre / Jazz: 0, not 1",
        "albums-by-genre / Rock: 2, not 1",
        &format!("{name}: counted in Rock, not counted in Jazz"),
    ]);
    world.delete(derived, &wrong).await;
    world.put(derived, &count).await;
    world.delete(derived, &entry).await;
    world.check_drift(&[&format!("{name}: counted in Rock, not no entry")]);
    let mut broken = entry.clone();
    broken.remove("standing");
    world.put(derived, &broken).await;
    world.check_drift(&[&format!(
        "{name}: counted in Rock, not the ledger entry has no usable `standing`"
    )]);
    world.put(derived, &entry).await;
    world.check_drift(&[]);
    // A stream that is not delivered looks like drift once patience is over.
    let album =
        HashMap::from([("Artist".to_owned(), text("AC/DC")), ("Album".to_owned(), text("A"))]);
    world.delete("afterimage-albums", &album).await;
    world.check_drift(&[
        "albums-by-genre / Rock: 1, not 2",
        &format!("{name}: not counted, not counted in Rock"),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_were_changed_are_drift() {
    let world = small_world().await;
    let messages = "afterimage-messages";
    let row = world.get(messages, "GRP#ada", "t1").await;
    let mut wrong = row.clone();
    wrong.insert("message".to_owned(), text("something else"));
    world.put(messages, &wrong).await;
    world.check_drift(&["row GRP#ada / t1: the newest's copied attributes, not others"]);
    world.delete(messages, &row).await;
    let mut elsewhere = row.clone();
    elsewhere.insert("sk".to_owned(), text("t0"));
    world.put(messages, &elsewhere).await;
    world.check_drift(&["row GRP#ada / t0: at t1, not elsewhere"]);
    world.put(messages, &row).await;
    world.check_drift(&[
        "row GRP#ada / t0: at t1, not elsewhere",
        "row GRP#ada / t1: one row of its owner and group, not another one",
    ]);
    world.delete(messages, &elsewhere).await;
    // A member who left, and whose row is still registered, is none.
    world.delete(messages, &row).await;
    world.check_drift(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn heads_that_were_changed_are_drift() {
    let world = small_world().await;
    let derived = "afterimage-derived";
    let head = world.get(derived, "head#message-groups#g", "head").await;
    let with = |name: &str, value: AttributeValue| {
        let mut head = head.clone();
        head.insert(name.to_owned(), value);
        head
    };
    world.put(derived, &with("rows", AttributeValue::L(Vec::new()))).await;
    world.check_drift(&[
        "row GRP#ada / t1: registered by its head, not not registered",
        "row GRP#lin / t1: registered by its head, not not registered",
    ]);
    world.put(derived, &with("copy#message", text("else"))).await;
    world.check_drift(&[
        "head of g: newest t1 as the table holds it, not other copied attributes",
        "row GRP#ada / t1: the newest's copied attributes, not others",
        "row GRP#lin / t1: the newest's copied attributes, not others",
    ]);
    world.put(derived, &with("newest_order", text("t0"))).await;
    world.check_drift(&[
        "head of g: newest t1, not newest t0",
        "row GRP#ada / t1: at t0, not elsewhere",
        "row GRP#lin / t1: at t0, not elsewhere",
    ]);
    world.put(derived, &with("revision", text("one"))).await;
    world.check_drift(&["head of g: a head, not an item that cannot be read"]);
    world.delete(derived, &head).await;
    world.check_drift(&["head of g: newest t1, not no head"]);
    world.put(derived, &head).await;
    world.check_drift(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_skip_keeps_is_retained_and_no_drift() {
    let world = small_world().await;
    let views = include_str!("../../../../views.toml").replace("\"retract\"", "\"skip\"");
    world.write(None, message(2, "t2", "again")).await;
    let newest = world.get("afterimage-messages", "MSG#g", "t2").await;
    world.delete("afterimage-messages", &newest).await;
    let keys = [("Artist".to_owned(), text("AC/DC")), ("Album".to_owned(), text("A"))];
    world.delete("afterimage-albums", &keys.into()).await;
    world.forget_registry().await;
    assert_eq!(world.deliver(Some(&views), &[message(2, "t2", "again")]), "duplicate");
    let (code, report) = world.verify(Some(&views));
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(
        (report["views"][0]["retained"].clone(), report["views"][1]["retained"].clone()),
        (1.into(), 1.into())
    );
}

/// Records that wait at most while writes go on: a trigger that never catches up has drift.
const PENDING_MAX: u64 = 50;

fn pending(stack: &Stack) -> u64 {
    let answer = stack.get("/local/status");
    let body = answer.split("\r\n\r\n").nth(1).expect("a body");
    let status: Value = serde_json::from_str(body).expect("JSON");
    status["pending"].as_u64().expect("a number")
}

/// Writes albums and messages until it is told to stop.
async fn write_on(stack: Arc<Stack>, client: Client, writer: u32, is_over: Arc<AtomicBool>) -> u32 {
    let mut number = 0;
    while !is_over.load(Ordering::SeqCst) {
        number += 1;
        if number % 10 == 0 {
            tokio::task::block_in_place(|| while pending(&stack) > PENDING_MAX {});
        }
        let title = text(&format!("Album {writer} {}", number % 40));
        let albums = "afterimage-albums";
        let done = if number % 5 == 4 {
            let delete = client.delete_item().table_name(albums).key("Artist", text("Busy"));
            delete.key("Album", title).send().await.is_ok()
        } else {
            let genre = text(&format!("Genre {}", (number + writer) % 3));
            let put = client.put_item().table_name(albums).item("Artist", text("Busy"));
            put.item("Album", title).item("Genre", genre).send().await.is_ok()
        };
        let put = client.put_item().table_name("afterimage-messages");
        let put = put.item("pk", text(&format!("MSG#busy-{}", number % 2)));
        let put = put.item("sk", text(&format!("t{number:08} {writer}")));
        let sent = put.item("message", text(&format!("number {number}"))).send().await.is_ok();
        assert!(done && sent, "the stack takes writes");
    }
    number
}

#[tokio::test(flavor = "multi_thread")]
async fn writes_that_go_on_are_no_drift() {
    let stack = Arc::new(Stack::start(&["--in-memory"]));
    let client = client(&stack.dynamodb_url);
    for (owner, group) in [("ada", 0), ("lin", 0), ("ada", 1)] {
        let put = client.put_item().table_name("afterimage-messages");
        let put =
            put.item("pk", text(&format!("GRP#{owner}"))).item("sk", text(&format!("t0 {group}")));
        let put = put.item("message_group_uuid", text(&format!("busy-{group}")));
        put.send().await.expect("a row");
    }
    let is_over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..2)
        .map(|writer| {
            let is_over = Arc::clone(&is_over);
            tokio::spawn(write_on(Arc::clone(&stack), client.clone(), writer, is_over))
        })
        .collect();
    let url = stack.dynamodb_url.clone();
    let verified = tokio::task::spawn_blocking(move || {
        run(&["verify", "--patience", "4", "--output", "json", "--endpoint", &url])
    });
    let verified = verified.await.expect("it ends");
    is_over.store(true, Ordering::SeqCst);
    for writer in writers {
        assert!(writer.await.expect("it ends") > 10, "writes went on");
    }
    // What changes in every look may stay undecided.
    assert!(matches!(verified.code, Some(0 | 3)), "{verified:?}");
}
