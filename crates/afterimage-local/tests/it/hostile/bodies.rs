use std::fs;
use std::path::Path;

use serde_json::json;

use super::{bearer, check, stack};
use crate::http::{get, send, send_bytes, send_cut_off};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// `{"Artist": "xxx…"}` of exactly so many bytes.
fn album_of(bytes: usize) -> Vec<u8> {
    let frame = json!({ "Artist": "" }).to_string().len();
    json!({ "Artist": "x".repeat(bytes - frame) }).to_string().into_bytes()
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_are_bounded_by_the_function_and_by_the_gateway() {
    let stack = stack().await;
    let url = stack.http_url();
    let bearer = bearer(&url, "ada-demo").await;
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    for (bytes, status, refusal) in [
        (256 * KIB, 400, "invalid_body"),
        (256 * KIB + 1, 413, "body_too_long"),
        (10 * MIB, 413, "body_too_long"),
        (10 * MIB + 1, 413, "Request Too Long"),
    ] {
        let body = album_of(bytes);
        let what = bytes.to_string();
        for request in ["POST /api/albums", "PUT /api/albums", "POST /api/messages"] {
            check(&send(&url, request, &headers, &body).await, status, refusal, &what);
        }
    }
    let token = send(&url, "POST /local/token", &[], &vec![b' '; 10 * MIB + 1]).await;
    check(&token, 413, "Request Too Long", "a sign-in");
    let chunk = [b"100000\r\n".as_slice(), &[b' '; MIB], b"\r\n"].concat();
    for (chunks, refusal) in [(1, "body_too_long"), (10, "body_too_long"), (11, "Request Too Long")]
    {
        let head = b"POST /api/albums HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n";
        let request = [head.as_slice(), &chunk.repeat(chunks), b"0\r\n\r\n"].concat();
        check(&send_bytes(&url, &request).await, 413, refusal, "chunks");
    }
    assert_eq!(get(&url, "/api/genres").await.status, 200);
}

/// Every file of `tests/corpus/requests`, as it is sent, and what it is answered with: the status, and
/// the code or sentence; none where the HTTP server itself refuses.
const CORPUS: [(&str, u16, &str); 15] = [
    ("chunk-size-no-number", 400, "Bad Request"),
    ("chunks-and-length", 400, "invalid_body"),
    ("chunks-cut-off", 400, "Bad Request"),
    ("chunks-of-an-album", 201, ""),
    ("garbage", 400, ""),
    ("length-cut-off", 400, "Bad Request"),
    ("length-negative", 400, ""),
    ("length-of-39-digits", 400, ""),
    ("length-too-short", 400, "invalid_body"),
    ("length-twice", 400, ""),
    ("line-folding", 400, ""),
    ("query-not-escaped", 400, ""),
    ("space-before-colon", 400, ""),
    ("transfer-encoding-gzip", 400, ""),
    ("version-0-9", 400, ""),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_request_of_the_corpus_is_answered() {
    let stack = stack().await;
    let url = stack.http_url();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/requests");
    let mut found: Vec<String> = Vec::new();
    for entry in fs::read_dir(&folder).expect("a folder") {
        found.push(entry.expect("an entry").file_name().to_string_lossy().into_owned());
    }
    found.sort();
    assert_eq!(found, CORPUS.map(|(name, _, _)| format!("{name}.http")));
    for (name, status, refusal) in CORPUS {
        let request = fs::read(folder.join(format!("{name}.http"))).expect("a file");
        let answer = if name.ends_with("cut-off") {
            send_cut_off(&url, &request).await
        } else {
            send_bytes(&url, &request).await
        };
        if status == 201 {
            assert_eq!(answer.status, status, "{name}: {}", answer.body);
        } else {
            check(&answer, status, refusal, name);
        }
        assert_eq!(get(&url, "/healthz").await.status, 200, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_json_whatever_it_is_called() {
    let stack = stack().await;
    let url = stack.http_url();
    let types = [
        "application/json",
        "application/x-www-form-urlencoded",
        "text/plain; charset=latin1",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "nonsense",
        "",
    ];
    for (index, content_type) in types.into_iter().enumerate() {
        let headers = [("Content-Type", content_type)];
        let body = json!({ "Artist": "Björk", "Album": index.to_string() }).to_string();
        let answer = send(&url, "POST /api/albums", &headers, body.as_bytes()).await;
        assert_eq!((answer.status, answer.json()["Artist"].as_str()), (201, Some("Björk")));
        for body in [
            b"Artist=a&Album=b".as_slice(),
            b"\x1f\x8b\x08\0",
            b"\xef\xbb\xbf{\"Artist\": \"a\", \"Album\": \"b\"}",
            b"{\"Artist\": \"a\xff\", \"Album\": \"b\"}",
            b"{\"Artist\": \"a\0\", \"Album\": \"b\"}",
        ] {
            let answer = send(&url, "POST /api/albums", &headers, body).await;
            check(&answer, 400, "invalid_body", content_type);
        }
    }
    for body in [
        "",
        "{}",
        "[]",
        r#"{"handle": 1}"#,
        r#"{"handle": "a", "handle": "b"}"#,
        r#"{"handle": "a", "x": 1}"#,
    ] {
        let answer = send(&url, "POST /local/token", &[], body.as_bytes()).await;
        check(&answer, 400, "invalid_body", body);
    }
    for handle in ["", "a b", "a\u{0}", &"h".repeat(513)] {
        let body = json!({ "handle": handle }).to_string();
        let answer = send(&url, "POST /local/token", &[], body.as_bytes()).await;
        check(&answer, 400, "invalid_handle", handle);
    }
}
