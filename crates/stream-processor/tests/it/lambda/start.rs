//! The start of the process.

use std::collections::BTreeMap;

use serde_json::json;
use test_lambda::{Function, Moment};

use super::{Deployment, album, batch, failed, program};

/// The first request of the first batch goes through the connection that the start opened, and no other
/// one was opened for it.
#[tokio::test]
async fn the_connection_is_open_before_the_first_event() {
    let deployment = Deployment::new().await;
    let (mut function, _dynamodb) = deployment.start(None).await;
    let read = Moment::Called("BatchGetItem".to_owned());
    let start = [Moment::Connected, read.clone(), Moment::AskedForEvent];
    assert_eq!(function.journal().moments(), start);
    let response = function.invoke(&batch(&[album(1, "Jazz")])).await.expect("a response");
    assert_eq!(failed(&response), [""; 0]);
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("1"));
    let first = [&start[..], &[Moment::GotEvent, read]].concat();
    let moments = function.journal().moments();
    assert!(moments.starts_with(&first), "{moments:?}");
}

#[tokio::test]
async fn without_a_table_it_says_so_and_ends() {
    let deployment = Deployment::new().await;
    let (_, dynamodb) = deployment.start(None).await;
    let mut variables = deployment.deployed.environment(deployment.tables.names());
    variables.remove("DERIVED_TABLE").expect("set by the template");
    check(
        &variables,
        &dynamodb,
        "DERIVED_TABLE is not set: give this function the name of its table `derived`",
    )
    .await;
    variables.insert("DERIVED_TABLE".to_owned(), "a b".to_owned());
    check(
        &variables,
        &dynamodb,
        "DERIVED_TABLE is `a b`, which is no table name: 3 to 255 characters of letters, digits, \
         `_`, `.` and `-`",
    )
    .await;
}

async fn check(
    variables: &BTreeMap<String, String>,
    dynamodb: &test_lambda::DynamoDbProxy,
    expected: &str,
) {
    let ended = Function::start(&program(), &[], variables, dynamodb).await.ended().await;
    let error = ended.init_error.as_ref().expect("a report");
    assert_eq!(
        (error.message.as_str(), error.error_type.as_str()),
        (expected, "Runtime.InitError")
    );
    assert_eq!(ended.status.code(), Some(1), "{:?}", ended.stderr);
    let [line] = &ended.log()[..] else { unreachable!("one line: {:?}", ended.stdout) };
    assert_eq!(
        (&line["level"], &line["fields"]["message"], &line["fields"]["error"]),
        (&json!("ERROR"), &json!("function cannot start"), &json!(expected))
    );
}
