//! A store that is busy: answers that the embedded DynamoDB never gives.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use afterimage_schema::TableNames;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::{Client, Config};
use messages::{EnsureProfileError, Messages};

use crate::gateway::fixed_clock;

const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]}"#;

/// A store without items whose first transactions meet another one. Returns the application over it,
/// and the count of its transactions.
fn busy_store(conflicts: usize) -> (Messages, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let transactions = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&transactions);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let counter = Arc::clone(&counter);
            std::thread::spawn(move || {
                let mut reader = BufReader::new(stream.expect("a connection"));
                while let Some(target) = read_request(&mut reader) {
                    let conflict = target.ends_with("TransactWriteItems")
                        && counter.fetch_add(1, Ordering::SeqCst) < conflicts;
                    let (status, body) = if conflict { (400, CONFLICT) } else { (200, "{}") };
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
                    );
                    reader.get_mut().write_all(answer.as_bytes()).expect("an answer");
                }
            });
        }
    });
    let config = Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("local"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(url)
        .build();
    let client = Client::from_conf(config);
    (Messages::new(client, TableNames::default(), fixed_clock()), transactions)
}

/// Reads a request, and returns its operation; none at the end of the connection.
fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let (mut target, mut length) = (None, 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some(("x-amz-target", value)) => target = Some(value.to_owned()),
            Some(("content-length", value)) => length = value.parse().expect("a length"),
            Some(_) => {}
            None if line == "\r\n" => break,
            None => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    target
}

#[tokio::test]
async fn a_conflict_passes() {
    let (messages, transactions) = busy_store(2);
    let profile = messages::ensure_profile(&messages, "ada-demo").await.expect("a profile");
    assert_eq!(
        (profile.user_handle.as_str(), transactions.load(Ordering::SeqCst)),
        ("ada-demo", 3)
    );
}

#[tokio::test]
async fn conflicts_without_end_are_given_up() {
    let (messages, transactions) = busy_store(usize::MAX);
    let refused = messages::ensure_profile(&messages, "ada-demo").await;
    assert!(matches!(refused, Err(EnsureProfileError::Store(http_api::StoreError::Busy { .. }))));
    assert_eq!(transactions.load(Ordering::SeqCst), 6);
}
