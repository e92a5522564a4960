//! Events that hold no list of records, or an empty one.

use afterimage_dynamodb::StreamEvent;
use serde_json::{Value, json};

use crate::world::World;

/// Not an event: the invocation fails with a sentence, so that a wrong trigger is noticed.
#[track_caller]
fn check_refused(event: Value, expected: &str) {
    let error = serde_json::from_value::<StreamEvent>(event).expect_err("no event");
    assert!(error.to_string().starts_with(expected), "{error}");
}

#[test]
fn what_has_no_list_of_records_fails_the_invocation() {
    check_refused(json!({}), "missing field `Records`");
    check_refused(json!({"records": []}), "missing field `Records`");
    check_refused(json!({"Records": null}), "invalid type: null, expected a sequence");
    check_refused(json!({"Records": {}}), "invalid type: map, expected a sequence");
    check_refused(json!({"Records": "none"}), "invalid type: string \"none\", expected a sequence");
    check_refused(json!("event"), "invalid type: string \"event\", expected struct StreamEvent");
    check_refused(Value::Null, "invalid type: null, expected struct StreamEvent");
}

#[tokio::test]
async fn an_empty_list_is_done() {
    let report = World::new().await.deliver(&[]).await;
    assert_eq!(report.records, []);
    assert_eq!(report.response().batch_item_failures.len(), 0);
}
