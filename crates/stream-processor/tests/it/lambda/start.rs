//! The start of the process.

use std::collections::BTreeMap;

use serde_json::json;
use test_lambda::{Function, Moment};

use super::{Deployment, album, batch, failed, program};

/// The client takes a connection back in a task of its own, which a busy machine may run after the first
/// batch has come: of so many processes one shows that the start's connection serves the batch.
const PROCESSES_MAX: usize = 6;

/// Every process opens a connection before it asks for an event, and the first request of the first batch
/// goes through it.
#[tokio::test]
async fn the_connection_is_open_before_the_first_event() {
    let deployment = Deployment::new().await;
    let read = Moment::Called("BatchGetItem".to_owned());
    let start = [Moment::Connected, read.clone(), Moment::AskedForEvent];
    let reused = [&start[..], &[Moment::GotEvent, read]].concat();
    let mut last = Vec::new();
    for number in 1..=PROCESSES_MAX {
        let (mut function, _dynamodb) = deployment.start(None).await;
        assert_eq!(function.journal().moments(), start);
        let event = batch(&[album(number, "Jazz")]);
        let response = function.invoke(&event).await.expect("a response");
        assert_eq!(failed(&response), [""; 0]);
        assert_eq!(deployment.count("Jazz").await, Some(number.to_string()));
        last = function.journal().moments();
        if last.starts_with(&reused) {
            return;
        }
    }
    panic!("no first batch goes through the start's connection: {last:?}");
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
