//! Records: each file of the corpus, between two good ones, and what becomes of it.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{album, deliver_texts, message, row};
use crate::world::{MESSAGES, World, words};

/// Files that are applied: what is odd about them is none of the view's business, or allowed.
const APPLIED: [&str; 8] = [
    "attribute-empty",
    "group-null",
    "group-of-1024-bytes",
    "group-with-odd-characters",
    "name-twice",
    "nested-32-deep",
    "number-of-38-digits",
    "number-with-exponent",
];

/// The records of the core's corpus, by name, each of its own item and of this world's tables.
fn corpus(world: &World) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../afterimage/tests/corpus/records");
    let files = std::fs::read_dir(folder).expect("a corpus").map(|it| it.expect("a file").path());
    let named = files.zip(100..).map(|(file, number)| {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = std::fs::read_to_string(&file).expect("a text");
        let text = text.replace("\"hostile\"", &format!("\"{name}\""));
        let text = text.replace("\"100\"", &format!("\"{number}\""));
        (
            name,
            world.dynamodb.names().iter().fold(text, |text, (table, name)| {
                text.replace(&format!("table/{}/", table.default_name()), &format!("table/{name}/"))
            }),
        )
    });
    named.collect()
}

#[tokio::test]
async fn each_bad_record_is_parked_once_and_no_neighbour_notices() {
    let world = World::new().await;
    let corpus = corpus(&world);
    let good = |number, artist: &str| {
        let event = world.event(&[album(number, artist, &json!({"Genre": {"S": "good"}}))]);
        event.records[0].get().to_owned()
    };
    let mut texts = vec![good(1, "first")];
    texts.extend(corpus.values().cloned());
    texts.push(good(2, "last"));
    let report = deliver_texts(&world, &texts).await;
    let found = words(&report);
    let expected = corpus.keys().map(|name| match APPLIED.contains(&name.as_str()) {
        true => "applied",
        false => "parked",
    });
    let expected: Vec<_> =
        std::iter::once("applied").chain(expected).chain(std::iter::once("applied")).collect();
    assert_eq!(found, expected.join(" "));
    let parked = world.parked().await.len();
    assert_eq!(parked, corpus.len() - APPLIED.len());
    let counts = world.counts("albums-by-genre").await;
    assert_eq!(counts.get("good"), Some(&2));
    // Once more: nothing fails, and nothing is parked twice.
    let again = words(&deliver_texts(&world, &texts).await);
    assert!(!again.contains("failed") && !again.contains("applied"), "{again}");
    assert_eq!(world.parked().await.len(), parked);
    assert_eq!(world.counts("albums-by-genre").await, counts);
}

#[tokio::test]
async fn a_group_attribute_may_change_its_type_and_back() {
    let mut world = World::new().await;
    world
        .use_views(
            r#"
        [[view]]
        name = "albums-by-year"
        kind = "count"
        source = "albums"
        group_by = "Year"
        remove = "retract"
        target = { table = "derived", pk = "albums-by-year", sk = "{Year}", count = "count" }
        "#,
        )
        .await;
    let steps = [
        (json!({"S": "1980"}), "applied", Some("1980")),
        (json!({"N": "1980.0"}), "applied", Some("1980")),
        (json!({"BOOL": true}), "applied", Some("true")),
        (json!({"L": []}), "parked", None),
        (json!({"S": "1981"}), "applied", Some("1981")),
        (json!({"NULL": true}), "applied", None),
        (json!({"N": "1.981E3"}), "applied", Some("1981")),
    ];
    for (number, (year, outcome, group)) in (1..).zip(steps) {
        let report = world.deliver(&[album(number, "a", &json!({ "Year": year }))]).await;
        assert_eq!(words(&report), outcome, "{year}");
        let expected = group.map(|group| (group.to_owned(), 1)).into_iter().collect();
        assert_eq!(world.counts("albums-by-year").await, expected, "{year}");
    }
}

#[tokio::test]
async fn a_stream_enabled_again_outdoes_the_one_before() {
    let world = World::new().await;
    world.put(MESSAGES, row("ada", "g", "t0")).await;
    let renewed = |mut record: Value| {
        let arn = record["eventSourceARN"].as_str().expect("an ARN").replace("2026-01", "2026-02");
        record["eventSourceARN"] = json!(arn);
        record
    };
    let genre = |name: &str| json!({"Genre": {"S": name}});
    let deliver = async |records: &[Value]| words(&world.deliver(records).await);
    let first = [album(900, "a", &genre("Rock")), message(901, "g", "t1", "first")];
    assert_eq!(deliver(&first).await, "applied applied");
    let new = [renewed(album(1, "a", &genre("Jazz"))), renewed(message(2, "g", "t1", "edited"))];
    assert_eq!(deliver(&new).await, "applied applied");
    let late = [album(999, "a", &genre("Pop")), message(999, "g", "t1", "before the edit")];
    assert_eq!(deliver(&late).await, "duplicate duplicate");
    assert_eq!(world.counts("albums-by-genre").await, [("Jazz".to_owned(), 1)].into());
    world.assert_row("GRP#ada", "t1", "edited").await;
}
