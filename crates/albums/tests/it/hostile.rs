//! Bodies that are no albums, and those that hardly are: what is accepted reads back as it was sent.

use std::cell::Cell;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, Value, json};

use crate::gateway::Gateway;

/// Every file of `tests/corpus/bodies`, with the status that it is answered with.
const CORPUS: [(&str, u16); 17] = [
    ("album-1025-bytes", 400),
    ("artist-2049-bytes", 400),
    ("deep", 400),
    ("duplicate-key", 400),
    ("empty-artist", 400),
    ("escaped-control-characters", 201),
    ("genre-1025-bytes", 400),
    ("genre-2048-bytes", 400),
    ("longest", 201),
    ("null-genre", 400),
    ("rank-1e400", 400),
    ("rank-39-digits", 400),
    ("rank-and-year-greatest", 201),
    ("rank-beyond-32-bits", 400),
    ("rank-minus-zero", 400),
    ("unknown-key", 400),
    ("white-space", 201),
];

#[tokio::test]
async fn every_body_of_the_corpus_is_answered() {
    let gateway = Gateway::empty().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/bodies");
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder).expect("a folder") {
        found.push(entry.expect("an entry").file_name().to_string_lossy().into_owned());
    }
    found.sort();
    assert_eq!(found, CORPUS.map(|(name, _)| format!("{name}.json")));
    for (name, status) in CORPUS {
        let body = fs::read_to_string(folder.join(format!("{name}.json"))).expect("a file");
        let answer = gateway.add(&body).await;
        if status == 201 {
            answer.is(201, &sorted(&body));
            reads_back(&gateway, &body).await;
        } else {
            answer.is_error(status, "invalid_body");
        }
    }
}

/// The same JSON with its names in order.
fn sorted(json: &str) -> String {
    let value: Value = serde_json::from_str(json).expect("JSON");
    value.to_string()
}

/// The album of this body is the only one; afterwards there is none.
async fn reads_back(gateway: &Gateway, body: &str) {
    gateway.list("").await.is(200, &format!(r#"{{"albums":[{}]}}"#, sorted(body)));
    let album: Value = serde_json::from_str(body).expect("JSON");
    let text = |name: &str| album[name].as_str().expect("a text");
    gateway.remove(text("Artist"), text("Album")).await;
}

fn text() -> impl Strategy<Value = Value> {
    let odd = [
        "",
        "\0",
        "\u{7f}\u{80}",
        " ",
        "\"\\/",
        "\u{feff}a",
        "e\u{301}",
        "\u{10ffff}",
        "..",
        "%00",
    ];
    let long = prop::sample::select(vec![1, 341, 342, 512, 1023, 1024, 1025, 2047, 2048, 2049]);
    prop_oneof![
        4 => ".{1,12}".prop_map(Value::from),
        2 => prop::sample::select(odd.to_vec()).prop_map(Value::from),
        1 => (long, prop::sample::select(vec!["x", "ö", "日"]))
            .prop_map(|(count, unit)| Value::from(unit.repeat(count))),
    ]
}

fn number() -> impl Strategy<Value = Value> {
    let odd = [
        json!(0),
        json!(1),
        json!(100),
        json!(9999),
        json!(10_000),
        json!(u32::MAX),
        json!(u64::from(u32::MAX) + 1),
        json!(u64::MAX),
        json!(-1),
        json!(1.5),
        json!(-0.0),
        json!(1e300),
    ];
    prop_oneof![2 => (1..3_000_u32).prop_map(Value::from), 1 => prop::sample::select(odd.to_vec())]
}

fn anything() -> impl Strategy<Value = Value> {
    let other =
        [json!(null), json!(true), json!([]), json!({}), json!([[["x"]]]), json!("1"), json!(1)];
    prop::sample::select(other.to_vec())
}

/// An object like an album, with an attribute left out, of another type or unknown now and then.
fn body() -> impl Strategy<Value = Map<String, Value>> {
    let valued = |name: &'static str, value: BoxedStrategy<Value>, given: f64| {
        let value = prop_oneof![20 => value, 1 => anything()];
        prop::option::weighted(given, value).prop_map(move |it| it.map(|it| (name.to_owned(), it)))
    };
    (
        valued("Artist", text().boxed(), 0.98),
        valued("Album", text().boxed(), 0.98),
        valued("Genre", text().boxed(), 0.5),
        valued("Rank", number().boxed(), 0.5),
        valued("Year", number().boxed(), 0.5),
        valued("Label", text().boxed(), 0.02),
    )
        .prop_map(|(artist, album, genre, rank, year, label)| {
            [artist, album, genre, rank, year, label].into_iter().flatten().collect()
        })
}

#[test]
fn what_is_accepted_reads_back_and_the_rest_is_refused() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let gateway = runtime.block_on(Gateway::empty());
    let (accepted, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(ProptestConfig::with_cases(120));
    let result = runner.run(&body(), |body| {
        let body = Value::Object(body).to_string();
        runtime.block_on(async {
            let answer = gateway.call("POST", "/api/albums", "overwrite=true", &body).await;
            if answer.status == 400 {
                refused.set(refused.get() + 1);
                answer.is_error(400, "invalid_body");
                // What is no album to add is no album to change, but for what `null` removes.
                if !body.contains("null") {
                    let change = gateway.call("PUT", "/api/albums", "", &body).await;
                    change.is_error(400, "invalid_body");
                }
                return;
            }
            accepted.set(accepted.get() + 1);
            assert!([200, 201].contains(&answer.status), "{}", answer.text);
            assert_eq!(answer.text, sorted(&body));
            reads_back(&gateway, &body).await;
        });
        Ok(())
    });
    result.expect("holds");
    // Input of one kind alone would prove nothing.
    let counts = (accepted.get(), refused.get());
    assert!(counts.0 > 20 && counts.1 > 20, "{counts:?}");
}
