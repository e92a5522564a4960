//! Bodies that are no messages, and those that hardly are: what is accepted reads back as it was sent.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::gateway::{ADA, Gateway, TWO};

/// Every file of `tests/corpus/bodies`, with the status and code that it is answered with.
const CORPUS: [(&str, u16, &str); 15] = [
    ("both-targets", 400, "invalid_body"),
    ("deep", 400, "invalid_body"),
    ("duplicate-key", 400, "invalid_body"),
    ("escaped-control-characters", 201, ""),
    ("handle-of-another-item", 404, "unknown_handle"),
    ("handle-own", 400, "own_handle"),
    ("handle-with-control-character", 400, "invalid_body"),
    ("lone-surrogate", 400, "invalid_body"),
    ("message-of-white-space", 400, "invalid_body"),
    ("message-too-long", 400, "invalid_body"),
    ("message-uuid-braced", 201, ""),
    ("message-uuid-no-uuid", 400, "invalid_body"),
    ("nested-group", 400, "invalid_body"),
    ("no-target", 400, "invalid_body"),
    ("unknown-key", 400, "invalid_body"),
];

#[tokio::test]
async fn every_body_of_the_corpus_is_answered() {
    let gateway = Gateway::with_sample().await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/bodies");
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder).expect("a folder") {
        found.push(entry.expect("an entry").file_name().to_string_lossy().into_owned());
    }
    found.sort();
    assert_eq!(found, CORPUS.map(|(name, _, _)| format!("{name}.json")));
    for (name, status, code) in CORPUS {
        let body = fs::read_to_string(folder.join(format!("{name}.json"))).expect("a file");
        let answer = gateway.post(ADA, &body).await;
        if status == 201 {
            assert_eq!(answer.status, status, "{name}: {}", answer.text);
            let sent: Value = serde_json::from_str(&body).expect("JSON");
            assert_eq!(answer.json()["message"], sent["message"], "{name}");
        } else {
            answer.is_error(status, code);
        }
    }
}

#[test]
fn what_is_accepted_reads_back_and_the_rest_is_refused() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let gateway = runtime.block_on(Gateway::with_sample());
    let odd = ["", " ", "\0", "\u{feff}", "\u{10ffff}", "\"\\", " \u{2028}\n", "\u{85}"];
    let text = prop_oneof![
        3 => ".{1,40}",
        1 => prop::sample::select(odd.to_vec()).prop_map(str::to_owned),
        1 => (32_766..32_771_usize).prop_map(|count| "x".repeat(count)),
    ];
    let group = prop_oneof![
        6 => Just(json!(TWO)),
        1 => prop::sample::select(vec![json!(null), json!(1), json!(""), json!("g".repeat(1001))]),
        1 => ".{1,9}".prop_map(Value::from),
    ];
    let mut runner = TestRunner::new(ProptestConfig::with_cases(100));
    let result = runner.run(&(text, group), |(text, group)| {
        let body = json!({ "message": text, "message_group_uuid": group }).to_string();
        let is_text = (1..=messages::MESSAGE_BYTES_MAX).contains(&text.len());
        let is_group = group.as_str().is_some_and(|it| (1..=1000).contains(&it.len()));
        runtime.block_on(async {
            let answer = gateway.post(ADA, &body).await;
            if !is_text || text.trim().is_empty() || !is_group {
                answer.is_error(400, "invalid_body");
            } else if group == TWO {
                assert_eq!(answer.status, 201, "{}", answer.text);
                let stored = gateway.list(ADA, TWO, "limit=1").await;
                assert_eq!(stored.all("messages", "message"), [text]);
                assert_eq!(stored.json()["messages"][0], answer.json());
                gateway
                    .delete(&format!("MSG#{TWO}"), answer.json()["sk"].as_str().expect("sk"))
                    .await;
            } else {
                answer.is_error(403, "not_a_member");
            }
        });
        Ok(())
    });
    result.expect("holds");
}
