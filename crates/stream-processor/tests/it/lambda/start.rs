//! The start of the process.

use testkit::lambda::{Ended, Function, Moment};

use super::{Deployment, album, batch, failed};

/// The client takes a connection back in a task of its own, which a busy machine may run after the first
/// batch has come: of so many processes one shows that the start's connection serves the batch.
const PROCESSES_MAX: u64 = 6;

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
    for (variable, table) in
        [("ALBUMS_TABLE", "albums"), ("MESSAGES_TABLE", "messages"), ("DERIVED_TABLE", "derived")]
    {
        start_with(variable, None).await.assert_cannot_start(&format!(
            "{variable} is not set: set it to the real name of the table `{table}`"
        ));
    }
    start_with("DERIVED_TABLE", Some("a b")).await.assert_cannot_start(
        "DERIVED_TABLE is `a b`, which is not a DynamoDB table name: use 3 to 255 letters, digits, \
         `_`, `.` and `-`",
    );
}

/// The end of a process that this variable keeps from its start, before it needs a DynamoDB.
pub async fn start_with(variable: &str, value: Option<&str>) -> Ended {
    let (name, built) = ("stream-processor", env!("CARGO_BIN_EXE_stream-processor"));
    Function::fail_to_start(name, built, variable, value).await
}
