//! Each fault by script: what a client sees of it, whether the call was carried out, and that waiting
//! takes no wall time.

use std::time::Duration;

use afterimage_sim::{Dynamodb, Fault, FaultRates, Trace, client};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, Put, TransactWriteItem};
use serde_json::json;
use tokio::time::Instant;

fn table() -> Dynamodb {
    let dynamodb = Dynamodb::open(1, FaultRates::NONE, Trace::default()).expect("it opens");
    let create = json!({
        "TableName": "things",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
    });
    dynamodb.call("CreateTable", &create).expect("a table");
    dynamodb
}

fn put(key: &str) -> TransactWriteItem {
    let put = Put::builder().table_name("things").item("pk", AttributeValue::S(key.to_owned()));
    TransactWriteItem::builder().put(put.build().expect("a put")).build()
}

/// What one transaction under these faults ends with: the error's code, whether the items are there,
/// the calls that it took, and whether virtual seconds passed.
#[track_caller]
fn check(faults: &[Fault], expected: (&str, bool, u64, bool)) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().start_paused(true).build().expect("a runtime");
    // The SDK draws its waits from here.
    fastrand::seed(1);
    let found = runtime.block_on(async {
        let dynamodb = table();
        dynamodb.script(faults);
        let begin = Instant::now();
        let request = client(&dynamodb, "one").transact_write_items();
        let result = request.transact_items(put("a")).transact_items(put("b")).send().await;
        let is_slow = begin.elapsed() > Duration::from_secs(3);
        tokio::time::sleep(Duration::from_secs(20)).await;
        let items = dynamodb.scan("things").expect("a scan").len();
        let code = match &result {
            Ok(_) => "ok".to_owned(),
            Err(error) => error.code().unwrap_or("no answer").to_owned(),
        };
        (code, items == 2, dynamodb.call_count(), is_slow)
    });
    assert_eq!((found.0.as_str(), found.1, found.2, found.3), expected);
}

#[test]
fn what_a_client_sees_of_each_fault() {
    check(&[], ("ok", true, 1, false));
    check(&[Fault::Conflict], ("TransactionCanceledException", false, 1, false));
    check(&[Fault::InternalError], ("ok", true, 2, false));
    check(&[Fault::LoseRequest], ("ok", true, 2, false));
    check(&[Fault::SwallowRequest], ("ok", true, 2, true));
    // The token tells the second attempt that the first was carried out.
    check(&[Fault::InternalErrorAfter], ("ok", true, 2, false));
    check(&[Fault::LoseResponse], ("ok", true, 2, false));
    check(&[Fault::SwallowResponse], ("ok", true, 2, true));
    check(&[Fault::Linger], ("ok", true, 2, true));
    check(&[Fault::LoseRequest; 3], ("no answer", false, 3, false));
    check(&[Fault::LoseResponse; 3], ("no answer", true, 3, false));
    check(&[Fault::InternalError; 3], ("InternalServerError", false, 3, false));
}

#[tokio::test(start_paused = true)]
async fn keys_are_left_unprocessed() {
    let dynamodb = table();
    for key in ["a", "b", "c"] {
        let item = json!({ "TableName": "things", "Item": { "pk": { "S": key } } });
        dynamodb.call("PutItem", &item).expect("a put");
    }
    dynamodb.script(&[Fault::LeaveUnprocessed]);
    let keys = ["a", "b", "c"]
        .map(|key| [("pk".to_owned(), AttributeValue::S(key.to_owned()))].into_iter().collect());
    let wanted = KeysAndAttributes::builder().set_keys(Some(keys.into())).consistent_read(true);
    let wanted = wanted.build().expect("keys");
    let client = client(&dynamodb, "one");
    let answer = client.batch_get_item().request_items("things", wanted).send().await.expect("it");
    let count = answer.responses().and_then(|it| it.get("things")).map_or(0, Vec::len);
    let left = answer.unprocessed_keys().and_then(|it| it.get("things"));
    assert_eq!(count + left.map_or(0, |it| it.keys().len()), 3);
    assert!(left.is_some_and(|it| it.consistent_read() == Some(true)));
}

#[tokio::test(start_paused = true)]
async fn a_request_outlives_the_client_that_sent_it() {
    let dynamodb = table();
    dynamodb.script(&[Fault::Linger]);
    let client = client(&dynamodb, "one");
    let sent =
        tokio::spawn(
            async move { client.transact_write_items().transact_items(put("a")).send().await },
        );
    tokio::time::sleep(Duration::from_millis(100)).await;
    sent.abort();
    assert_eq!(dynamodb.scan("things").expect("a scan").len(), 0);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(dynamodb.scan("things").expect("a scan").len(), 1);
}
