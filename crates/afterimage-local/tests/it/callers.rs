//! What a web page can do to a running stack: nothing, unless this machine serves it or its origin is allowed.

use afterimage::Views;
use afterimage_local::{Callers, Options, Stack, Storage};
use serde_json::{Value, json};
use testkit::dynamodb::product_names;

use crate::http::{Answer, get, send, send_bytes};

type Headers<'a> = &'a [(&'a str, &'a str)];

async fn stack(callers: Callers) -> Stack {
    let options = Options {
        http_port: 0,
        dynamodb_port: 0,
        callers,
        storage: Storage::Memory,
        seed: false,
        trigger: false,
        views: Views::compiled_in().expect("views"),
        names: product_names(),
    };
    Box::pin(Stack::start(options)).await.expect("started")
}

/// A request to a port under another name than its own.
async fn send_to_name(url: &str, name: &str, request: &str, headers: Headers<'_>) -> Answer {
    let mut head = format!("{request} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n");
    for (name, value) in headers {
        head += &format!("{name}: {value}\r\n");
    }
    send_bytes(url, (head + "Content-Length: 2\r\n\r\n{}").as_bytes()).await
}

/// The headers of an operation of DynamoDB; nobody checks the signature.
fn operation(target: &str) -> Vec<(&str, &str)> {
    vec![
        ("Content-Type", "application/x-amz-json-1.0"),
        ("X-Amz-Target", target),
        ("X-Amz-Date", "20260101T000000Z"),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host;x-amz-date, Signature=0",
        ),
    ]
}

async fn call(url: &str, target: &str, headers: Headers<'_>, body: &Value) -> Answer {
    let headers = [&operation(target), headers].concat();
    send(url, "POST /", &headers, body.to_string().as_bytes()).await
}

const LIST_TABLES: &str = "DynamoDB_20120810.ListTables";
const LIST_STREAMS: &str = "DynamoDBStreams_20120810.ListStreams";
const PREFLIGHT: [(&str, &str); 2] = [
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "authorization,content-type,x-amz-target"),
];

#[track_caller]
fn check_refused(answer: &Answer, says: &str, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.body);
    assert!(!answer.head.contains("access-control"), "{what}: {}", answer.head);
    let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains(says), "{what}: {message}");
}

#[track_caller]
fn check_answered(answer: &Answer, what: &str) {
    assert!(matches!(answer.status, 200 | 204), "{what}: {} {}", answer.status, answer.body);
    let any = "access-control-allow-origin: *";
    assert!(answer.head.contains(any), "{what}: {}", answer.head);
}

/// Every kind of request of a page, to every port.
async fn from_page(stack: &Stack, origin: &str) -> Vec<(&'static str, Answer)> {
    let (http, dynamodb) = (stack.http_url(), stack.dynamodb_url());
    let page = [("Origin", origin)];
    let preflight = [page.as_slice(), &PREFLIGHT].concat();
    vec![
        ("a function", send(&http, "GET /api/genres", &page, b"").await),
        ("the status", send(&http, "GET /local/status", &page, b"").await),
        ("the API's preflight", send(&http, "OPTIONS /api/albums", &preflight, b"").await),
        ("tables", call(&dynamodb, LIST_TABLES, &page, &json!({})).await),
        ("streams", call(&dynamodb, LIST_STREAMS, &page, &json!({})).await),
        ("DynamoDB's preflight", send(&dynamodb, "OPTIONS /", &preflight, b"").await),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_other_machines_are_refused_on_every_port() {
    let stack = stack(Callers::default()).await;
    for (origin, says) in [
        ("https://evil.example", "start `afterimage up` with --allow-origin https://evil.example"),
        ("null", "--allow-origin"),
        ("http://localhost.evil.example", "--allow-origin http://localhost.evil.example"),
    ] {
        for (what, answer) in from_page(&stack, origin).await {
            check_refused(&answer, says, &format!("{what} for {origin}"));
        }
    }
    let (http, dynamodb) = (stack.http_url(), stack.dynamodb_url());
    let evil = [("Origin", "https://evil.example")];
    let album = br#"{"Artist": "a", "Album": "b"}"#;
    // Without a preflight: browsers ask for none with this content type.
    let simple = [evil[0], ("Content-Type", "text/plain")];
    check_refused(&send(&http, "POST /api/albums", &simple, album).await, "--allow-origin", "POST");
    let token = send(&http, "POST /local/token", &simple, br#"{"handle": "ada"}"#).await;
    check_refused(&token, "--allow-origin", "a token");
    let drop = json!({ "TableName": "afterimage-albums" });
    let dropped = call(&dynamodb, "DynamoDB_20120810.DeleteTable", &evil, &drop).await;
    check_refused(&dropped, "--allow-origin", "DeleteTable");
    assert!(get(&http, "/api/albums").await.json()["albums"].as_array().is_some_and(Vec::is_empty));
    let tables = call(&dynamodb, LIST_TABLES, &[], &json!({})).await.json();
    assert_eq!(tables["TableNames"].as_array().map(Vec::len), Some(3), "{tables}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_resolves_to_this_machine_is_refused_on_every_port() {
    let stack = stack(Callers::default()).await;
    let (http, dynamodb) = (stack.http_url(), stack.dynamodb_url());
    let rebound = [("Origin", "http://evil.example:3000")];
    let list = operation(LIST_TABLES);
    for headers in [&[][..], &rebound] {
        let name = "evil.example:3000";
        let status = send_to_name(&http, name, "GET /local/status", headers).await;
        check_refused(&status, "--allow-host evil.example", "the status");
        let headers = [&list, headers].concat();
        let tables = send_to_name(&dynamodb, name, "POST /", &headers).await;
        check_refused(&tables, "--allow-host evil.example", "tables");
    }
    for name in ["localhost:1", "127.0.0.2", "[::1]:8000"] {
        assert_eq!(send_to_name(&http, name, "GET /local/status", &[]).await.status, 200, "{name}");
        assert_eq!(send_to_name(&dynamodb, name, "POST /", &list).await.status, 200, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_this_machine_and_allowed_ones_are_answered_on_every_port() {
    let stack = stack(Callers {
        origins: vec!["https://app.example.com".parse().expect("an origin")],
        hosts: vec!["app.test".parse().expect("a host")],
    })
    .await;
    for origin in ["http://localhost:5173", "http://127.0.0.1:5173", "https://app.example.com"] {
        for (what, answer) in from_page(&stack, origin).await {
            check_answered(&answer, &format!("{what} for {origin}"));
        }
    }
    let (http, dynamodb) = (stack.http_url(), stack.dynamodb_url());
    let preflight = [&[("Origin", "http://localhost:5173")][..], &PREFLIGHT].concat();
    let answer = send(&http, "OPTIONS /api/messages", &preflight, b"").await;
    assert!(answer.head.contains("access-control-allow-headers: authorization,content-type"));
    let answer = send(&dynamodb, "OPTIONS /", &preflight, b"").await;
    assert!(
        answer
            .head
            .contains("access-control-allow-headers: authorization,content-type,x-amz-target")
    );
    let list = operation(LIST_TABLES);
    assert_eq!(send_to_name(&http, "app.test", "GET /local/status", &[]).await.status, 200);
    assert_eq!(send_to_name(&dynamodb, "app.test:8000", "POST /", &list).await.status, 200);
    // An allowed name does not allow the pages of that name.
    let page = [("Origin", "http://app.test")];
    let answer = send_to_name(&http, "app.test", "GET /local/status", &page).await;
    check_refused(&answer, "--allow-origin http://app.test", "a page of an allowed name");
}
