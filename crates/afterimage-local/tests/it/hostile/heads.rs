use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{bearer, check, get_as, stack};
use crate::http::{get, send, send_bytes};

#[tokio::test(flavor = "multi_thread")]
async fn a_head_names_one_host_in_a_bounded_size() {
    let stack = stack().await;
    let url = stack.http_url();
    for host in
        ["[", "a b", "a:99999", "xn--", "user@host", "%zz", "a/b?c", "1.2.3.4.5", "", "\u{e9}"]
    {
        let request =
            format!("GET /api/genres HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        check(&send_bytes(&url, request.as_bytes()).await, 400, "Bad Request", host);
    }
    for heads in ["", "Host: a\r\nHost: a\r\n"] {
        let request = format!("GET /api/genres HTTP/1.1\r\n{heads}Connection: close\r\n\r\n");
        check(&send_bytes(&url, request.as_bytes()).await, 400, "Bad Request", heads);
    }
    assert_eq!(send_bytes(&url, b"GET /api/genres HTTP/1.0\r\n\r\n").await.status, 200);
    // What API Gateway says of a request, a client cannot.
    for (name, value) in
        [("X-Forwarded-Proto", "a b"), ("X-Forwarded-Proto", ""), ("User-Agent", "\u{e9}")]
    {
        let answer = send(&url, "GET /api/genres", &[(name, value)], b"").await;
        assert_eq!(answer.status, 200, "{name}: {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn floods_are_refused_and_nobody_else_suffers() {
    let stack = stack().await;
    let url = stack.http_url();
    let too_long = "Request Header Fields Too Large";
    let long = "x".repeat(10_240);
    check(&send(&url, "GET /api/genres", &[("X", &long)], b"").await, 431, too_long, "a header");
    let halves = [("X", &long[..5_120]), ("X", &long[..5_120])];
    check(&send(&url, "GET /api/genres", &halves, b"").await, 431, too_long, "two headers");
    check(&get(&url, &format!("/{long}")).await, 431, too_long, "a path");
    check(&get(&url, &format!("/api/albums?genre={long}")).await, 431, too_long, "a query");
    let bearer_flood = format!("Bearer {long}");
    check(&get_as(&url, &bearer_flood, "/api/message_groups").await, 431, too_long, "a token");
    // The server's own limits answer without a body.
    let many: Vec<String> = (0..101).map(|index| format!("x-{index}")).collect();
    let many: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
    assert_eq!(send(&url, "GET /api/genres", &many, b"").await.status, 431);
    assert_eq!(get(&url, &format!("/{}", "x".repeat(66_000))).await.status, 414);
    assert_eq!(get(&url, "/api/genres").await.status, 200);
    // What a well-meaning client may need fits: the longest names, every byte of them escaped.
    let (artist, album) = ("%61".repeat(2048), "%62".repeat(1024));
    let path = format!("DELETE /api/albums?artist={artist}&album={album}");
    check(&send(&url, &path, &[], b"").await, 404, "album_not_found", "the longest names");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_ends_blocks_no_other() {
    let stack = stack().await;
    let url = stack.http_url();
    let bearer = bearer(&url, "ada-demo").await;
    let address = url.strip_prefix("http://").expect("an http URL");
    let mut open = Vec::new();
    for part in [
        "",
        "GET /api/gen",
        "GET /api/genres HTTP/1.1\r\nHost: localhost\r\nX-Slow: ",
        "POST /api/albums HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n{",
        "POST /api/albums HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
    ] {
        for _ in 0..4 {
            let mut connection = TcpStream::connect(address).await.expect("connected");
            connection.write_all(part.as_bytes()).await.expect("sent");
            open.push(connection);
        }
    }
    assert_eq!(get(&url, "/api/genres").await.status, 200);
    assert_eq!(get_as(&url, &bearer, "/api/message_groups").await.status, 200);
    for connection in &mut open {
        connection.write_all(b" ").await.expect("still open");
    }
    drop(open);
    assert_eq!(get(&url, "/healthz").await.status, 200);
}
