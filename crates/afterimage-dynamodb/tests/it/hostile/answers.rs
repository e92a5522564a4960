//! Answers of the service that leave out what was asked for: records fail, and nothing is taken to be
//! absent.

use serde_json::json;

use super::{album, message, row};
use crate::world::{MESSAGES, World, words};

/// With this answer to this operation, records fail; without it, they are applied.
async fn check(operation: &'static str, body: &'static str) {
    let (world, faults) = World::with_faults().await;
    world.put(MESSAGES, row("ada", "g", "t1")).await;
    world.put(MESSAGES, json!({"pk": {"S": "MSG#g"}, "sk": {"S": "t9"}})).await;
    faults.answer(operation, body);
    let records = [message(1, "g", "t2", "new"), album(2, "a", &json!({"Genre": {"S": "Rock"}}))];
    let report = world.deliver(&records).await;
    // A count view makes no queries.
    let expected = if operation == "Query" { "failed applied" } else { "failed failed" };
    assert_eq!(words(&report), expected, "{operation} {body}");
    faults.clear();
    let expected = if operation == "Query" { "stale duplicate" } else { "stale applied" };
    assert_eq!(words(&world.deliver(&records).await), expected, "{operation} {body}");
    world.assert_row("GRP#ada", "t9", "-").await;
}

#[tokio::test]
async fn a_read_of_items_without_its_items_is_no_absence() {
    check("BatchGetItem", "{}").await;
    check("BatchGetItem", r#"{"Responses":{}}"#).await;
    check("BatchGetItem", r#"{"Responses":{},"UnprocessedKeys":{}}"#).await;
}

#[tokio::test]
async fn a_query_without_its_items_is_no_absence() {
    check("Query", "{}").await;
    check("Query", r#"{"Count":0,"ScannedCount":0}"#).await;
}
