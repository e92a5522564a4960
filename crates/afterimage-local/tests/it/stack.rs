use std::path::Path;
use std::time::Duration;

use afterimage::Views;
use afterimage_local::{Callers, Options, Stack, StartError, Storage};
use serde_json::{Value, json};
use testkit::dynamodb::product_names;

use crate::http::{get, post, send};

fn options(storage: Storage) -> Options {
    Options {
        http_port: 0,
        dynamodb_port: 0,
        callers: Callers::default(),
        storage,
        seed: false,
        trigger: true,
        views: Views::compiled_in().expect("views"),
        names: product_names(),
    }
}

fn in_dir(path: &Path) -> Options {
    options(Storage::DataDir(path.to_owned()))
}

async fn start(options: Options) -> Stack {
    Box::pin(Stack::start(options)).await.expect("started")
}

/// Asks until everything is done.
async fn drained(url: &str) -> Value {
    let asked = async {
        loop {
            let status = get(url, "/local/status").await.json();
            if status["drained"] == true {
                return status;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), asked).await.expect("drained in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_album_goes_through_the_whole_stack() {
    let stack = start(options(Storage::Memory)).await;
    let url = stack.http_url();
    assert_eq!(get(&url, "/healthz").await.status, 200);
    assert_eq!(drained(&url).await["pending"], 0);
    let album = json!({ "Artist": "AC/DC", "Album": "Back in Black", "Genre": "Rock" });
    assert_eq!(post(&url, "/api/albums", &album).await.status, 201);
    assert_eq!(post(&url, "/api/albums", &album).await.status, 409);
    let status = drained(&url).await;
    assert_eq!(status["records_processed"], 1);
    assert_eq!(status["on_failure"], 0);
    let views = status["views"].as_object().expect("views");
    assert!(views.len() > 1, "each view that is configured: {status}");
    for (view, outcomes) in views {
        let is_counted = view == "genre-counts";
        assert_eq!(*outcomes, if is_counted { json!({ "applied": 1 }) } else { json!({}) });
    }
    let genres = get(&url, "/api/genres").await.json();
    assert_eq!(genres, json!({ "genres": [{ "genre": "Rock", "count": 1 }] }));
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_answers_as_api_gateway_does() {
    let stack = start(options(Storage::Memory)).await;
    let url = stack.http_url();
    let missing = get(&url, "/api/nothing").await;
    assert_eq!((missing.status, missing.body.as_str()), (404, r#"{"message":"Not Found"}"#));
    let refused = get(&url, "/api/message_groups").await;
    assert_eq!((refused.status, refused.body.as_str()), (401, r#"{"message":"Unauthorized"}"#));
    let long = vec![b' '; 10 * 1024 * 1024 + 1];
    let long = send(&url, "POST /api/albums", &[], &long).await;
    assert_eq!((long.status, long.body.as_str()), (413, r#"{"message":"Request Too Long"}"#));
    // A comma in a value, and a body without a content type.
    let album = json!({ "Artist": "Crosby, Stills & Nash", "Album": "CSN" }).to_string();
    assert_eq!(send(&url, "POST /api/albums", &[], album.as_bytes()).await.status, 201);
    let path = "/api/albums?artist=Crosby%2C%20Stills%20%26%20Nash&album=CSN";
    assert_eq!(send(&url, &format!("DELETE {path}"), &[], b"").await.status, 204);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_posted_with_a_token_and_reaches_both_lists() {
    let stack = start(options(Storage::Memory)).await;
    let url = stack.http_url();
    assert_eq!(post(&url, "/local/token", &json!({ "handle": "" })).await.status, 400);
    assert_eq!(post(&url, "/local/token", &json!({})).await.status, 400);
    let token = |handle: &'static str| {
        let url = url.clone();
        async move {
            let answer = post(&url, "/local/token", &json!({ "handle": handle })).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            answer.json()
        }
    };
    let (one, other) = (token("ada").await, token("grace").await);
    assert_eq!(token("ada").await["user_uuid"], one["user_uuid"]);
    let bearer = |token: &Value| format!("Bearer {}", token["token"].as_str().expect("a token"));
    let (one, other) = (bearer(&one), bearer(&other));
    let headers = [("Authorization", one.as_str()), ("Content-Type", "application/json")];
    let body = json!({ "message": "hello", "handle": "grace" }).to_string();
    let posted = send(&url, "POST /api/messages", &headers, body.as_bytes()).await;
    assert_eq!(posted.status, 201, "{}", posted.body);
    let group = posted.json()["message_group_uuid"].as_str().expect("a group").to_owned();
    let body = json!({ "message": "again", "message_group_uuid": group }).to_string();
    assert_eq!(send(&url, "POST /api/messages", &headers, body.as_bytes()).await.status, 201);
    drained(&url).await;
    for token in [one, other] {
        let headers = [("Authorization", token.as_str())];
        let groups = send(&url, "GET /api/message_groups", &headers, b"").await.json();
        assert_eq!(groups["message_groups"].as_array().map(Vec::len), Some(1), "{groups}");
        assert_eq!(groups["message_groups"][0]["message"], "again");
        let path = format!("GET /api/messages/{group}");
        let page = send(&url, &path, &headers, b"").await.json();
        assert_eq!(page["messages"].as_array().map(Vec::len), Some(2), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_dir_keeps_everything_but_is_nobody_else_s_meanwhile() {
    let directory = tempfile::tempdir().expect("a directory");
    let path = directory.path().join("data");
    let stack = start(in_dir(&path)).await;
    let url = stack.http_url();
    let album = json!({ "Artist": "A", "Album": "One", "Genre": "Jazz" });
    assert_eq!(post(&url, "/api/albums", &album).await.status, 201);
    drained(&url).await;
    let token = post(&url, "/local/token", &json!({ "handle": "ada" })).await.json();
    let second = Box::pin(Stack::start(in_dir(&path))).await.expect_err("in use");
    assert!(matches!(second, StartError::DataDirInUse { .. }), "{second}");
    assert_eq!(second.exit_code(), 3);
    assert_eq!(get(&url, "/healthz").await.status, 200);
    stack.shutdown().await;

    let stack = start(Options { seed: true, ..in_dir(&path) }).await;
    let url = stack.http_url();
    // Only the first start seeds, and nothing that was done comes again.
    let status = drained(&url).await;
    assert_eq!(get(&url, "/api/albums").await.json()["albums"].as_array().map(Vec::len), Some(1));
    assert!(status["records_processed"].as_u64() < Some(3), "{status}");
    assert_eq!(status["views"]["genre-counts"], json!({}), "{status}");
    let bearer = format!("Bearer {}", token["token"].as_str().expect("a token"));
    let groups = send(&url, "GET /api/message_groups", &[("Authorization", &bearer)], b"").await;
    assert_eq!(groups.status, 200, "{}", groups.body);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_seeds() {
    let directory = tempfile::tempdir().expect("a directory");
    let stack = start(Options { seed: true, ..in_dir(directory.path()) }).await;
    let url = stack.http_url();
    drained(&url).await;
    let genres = get(&url, "/api/genres").await.json();
    let count: u64 = genres["genres"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|it| it["count"].as_u64())
        .sum();
    let albums = get(&url, "/api/albums?limit=1000").await.json();
    let albums = albums["albums"].as_array().expect("a list");
    let with_genre = albums.iter().filter(|album| album.get("Genre").is_some()).count();
    assert!(albums.len() >= 50, "{}", albums.len());
    assert_eq!(count, with_genre as u64);
    stack.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_the_way_is_told() {
    let stack = start(options(Storage::Memory)).await;
    let port =
        |url: &str| -> u16 { url.rsplit(':').next().expect("a port").parse().expect("a number") };
    let (http_port, dynamodb_port) = (port(&stack.http_url()), port(&stack.dynamodb_url()));
    let taken = Options { http_port, ..options(Storage::Memory) };
    let error = Box::pin(Stack::start(taken)).await.expect_err("taken");
    assert!(error.to_string().contains("--http-port"), "{error}");
    let taken = Options { dynamodb_port, ..options(Storage::Memory) };
    let error = Box::pin(Stack::start(taken)).await.expect_err("taken");
    assert!(error.to_string().contains("--dynamodb-port"), "{error}");
    assert_eq!(error.exit_code(), 5);
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("file");
    std::fs::write(&file, "").expect("written");
    let error = Box::pin(Stack::start(in_dir(&file.join("data")))).await.expect_err("no directory");
    assert!(matches!(error, StartError::DataDirUnusable { .. }), "{error}");
    assert_eq!(error.exit_code(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_the_trigger_records_stay() {
    let stack = start(Options { trigger: false, ..options(Storage::Memory) }).await;
    let url = stack.http_url();
    assert_eq!(get(&url, "/local/status").await.json()["drained"], true);
    let album = json!({ "Artist": "A", "Album": "One" });
    assert_eq!(post(&url, "/api/albums", &album).await.status, 201);
    let status = get(&url, "/local/status").await.json();
    assert_eq!((&status["drained"], &status["pending"]), (&json!(false), &json!(1)));
}
