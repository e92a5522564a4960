//! A store that is busy: answers that the embedded DynamoDB never gives.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dynamodb_client::client_at_endpoint;
use messages::{EnsureProfileError, MESSAGES, Messages, PostConfirmationError};

use crate::gateway::{ADA, LIN, fixed_clock};
use crate::profiles::confirmed;

const CONFLICT: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"}]}"#;

/// The profile's transaction meets another one, and its handle is there.
const CONFLICT_AND_HANDLE: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"ConditionalCheckFailed"}]}"#;

/// Only the handle is there, and is Ada's.
const HANDLE_OF_ADA: &str = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","CancellationReasons":[{"Code":"None"},{"Code":"ConditionalCheckFailed","Item":{"user_uuid":{"S":"a0a0a0a0-0000-4000-8000-000000000001"}}}]}"#;

/// A store without items whose first transactions are refused with an answer. Returns the application
/// over it, and the count of its transactions.
fn busy_store(refusal: &'static str, refusals: usize) -> (Messages, Arc<AtomicUsize>) {
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
                    let refused = target.ends_with("TransactWriteItems")
                        && counter.fetch_add(1, Ordering::SeqCst) < refusals;
                    let (status, body) = if refused { (400, refusal) } else { (200, "{}") };
                    let length = body.len();
                    let answer = format!(
                        "HTTP/1.1 {status} x\r\ncontent-type: application/x-amz-json-1.0\r\ncontent-length: {length}\r\n\r\n{body}"
                    );
                    reader.get_mut().write_all(answer.as_bytes()).expect("an answer");
                }
            });
        }
    });
    let client = client_at_endpoint(&url, http_api::TIMEOUTS);
    (Messages::new(client, MESSAGES.default_name(), fixed_clock()), transactions)
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
    let (messages, transactions) = busy_store(CONFLICT, 2);
    let profile = messages::ensure_profile(&messages, "ada-demo").await.expect("a profile");
    assert_eq!(
        (profile.user_handle.as_str(), transactions.load(Ordering::SeqCst)),
        ("ada-demo", 3)
    );
}

#[tokio::test]
async fn conflicts_without_end_are_given_up() {
    let (messages, transactions) = busy_store(CONFLICT, usize::MAX);
    let refused = messages::ensure_profile(&messages, "ada-demo").await;
    assert!(matches!(refused, Err(EnsureProfileError::Store(http_api::StoreError::Busy { .. }))));
    assert_eq!(transactions.load(Ordering::SeqCst), 6);
}

#[tokio::test]
async fn a_conflict_is_waited_for_before_a_taken_key_counts() {
    let (messages, transactions) = busy_store(CONFLICT_AND_HANDLE, 1);
    let answer = messages::post_confirmation(&messages, confirmed(ADA, "ada-demo", None)).await;
    assert!(answer.is_ok(), "{answer:?}");
    assert_eq!(transactions.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_handle_of_one_s_own_is_not_taken() {
    let (messages, _) = busy_store(HANDLE_OF_ADA, usize::MAX);
    let own = messages::post_confirmation(&messages, confirmed(ADA, "ada-demo", None)).await;
    assert!(own.is_ok(), "{own:?}");
    let other = messages::post_confirmation(&messages, confirmed(LIN, "ada-demo", None)).await;
    assert!(matches!(other, Err(PostConfirmationError::HandleTaken)), "{other:?}");
}
