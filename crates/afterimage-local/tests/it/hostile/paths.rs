use super::{bearer, check, get_as, stack};
use crate::http::{get, send};

const NOT_FOUND: (u16, &str) = (404, "Not Found");
const NO_MEMBER: (u16, &str) = (403, "not_a_member");

#[tokio::test(flavor = "multi_thread")]
async fn a_path_is_one_of_the_routes_or_none() {
    let stack = stack().await;
    let url = stack.http_url();
    for request in [
        "GET //api/genres",
        "GET /api//genres",
        "GET /api/./genres",
        "GET /api/albums/../genres",
        "GET /api/albums/%2e%2e/genres",
        "GET /api%2Fgenres",
        "GET /api/genres/",
        "GET /api/genres%00",
        "GET /api/genres;v=1",
        "GET /API/GENRES",
        "GET /api\\genres",
        "GET *",
        "GET /local/status/",
        "GET /local/../local/status",
        "GET //local/status",
        "GET /LOCAL/status",
        "GET http://127.0.0.1//local/status",
        "get /api/genres",
        "PATCH /api/albums",
        "BREW /api/albums",
        "TRACE /api/albums",
        "CONNECT 127.0.0.1:80",
        "OPTIONS *",
        "POST /healthz",
        "GET /local/token",
    ] {
        let answer = send(&url, request, &[], b"").await;
        check(&answer, NOT_FOUND.0, NOT_FOUND.1, request);
    }
    assert_eq!(send(&url, "HEAD /api/albums", &[], b"").await.status, 404);
    check(&get(&url, "/api/messages/%ff").await, 400, "Bad Request", "a path that is no UTF-8");
    // An absolute URI is the path in it, and its host counts instead of the header's (RFC 9112, 3.2.2).
    assert_eq!(get(&url, "http://localhost/api/genres").await.status, 200);
    let elsewhere = "this port does not answer to the name elsewhere; to allow it, start `afterimage up` with --allow-host elsewhere";
    check(&get(&url, "http://elsewhere/api/genres").await, 403, elsewhere, "another host");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_in_a_path_is_an_id_and_nothing_else() {
    let stack = stack().await;
    let url = stack.http_url();
    let bearer = bearer(&url, "ada-demo").await;
    let sam = "GRP%23a0a0a0a0-0000-4000-8000-000000000003";
    for (id, (status, refusal)) in [
        ("..", NO_MEMBER),
        ("%2e%2e", NO_MEMBER),
        ("%00", NO_MEMBER),
        ("a%2Fb", NO_MEMBER),
        ("..%2F..%2Flocal%2Fstatus", NO_MEMBER),
        (sam, NO_MEMBER),
        ("%25ff", NO_MEMBER),
        (&*"g".repeat(1000), NO_MEMBER),
        (&*"%67".repeat(1000), NO_MEMBER),
        (&*"g".repeat(1001), (400, "invalid_parameter")),
        ("", NOT_FOUND),
        ("a/b", NOT_FOUND),
        ("a/", NOT_FOUND),
    ] {
        let answer = get_as(&url, &bearer, &format!("/api/messages/{id}")).await;
        check(&answer, status, refusal, id);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_read_strictly() {
    let stack = stack().await;
    let url = stack.http_url();
    let bearer = bearer(&url, "ada-demo").await;
    let long = format!("genre={}", "g".repeat(1025));
    for query in [
        "limit=0",
        "limit=-1",
        "limit=1001",
        "limit=18446744073709551616",
        "limit=ten",
        "limit=1e1",
        "limit=1.0",
        "limit=+1",
        "limit=%2B1",
        "limit=%201",
        "limit=%D9%A1",
        "limit=%00",
        "limit=",
        "limit",
        "limit=1&limit=1",
        "limit=1&li%6Dit=1",
        "LIMIT=1",
        "limit[]=1",
        "=1",
        "genre=",
        "genre=%ff",
        "genre=%ED%A0%80",
        "genre=a&genre=b",
        "cursor=",
        &long,
    ] {
        let answer = get(&url, &format!("/api/albums?{query}")).await;
        check(&answer, 400, "invalid_parameter", query);
        let answer = get_as(&url, &bearer, &format!("/api/message_groups?{query}")).await;
        check(&answer, 400, "invalid_parameter", query);
    }
    for query in ["artist=%ff&album=a", "artist=a", "album=a", "artist=a&album=b&limit=1"] {
        let answer = send(&url, &format!("DELETE /api/albums?{query}"), &[], b"").await;
        check(&answer, 400, "invalid_parameter", query);
    }
    assert_eq!(get(&url, "/api/albums?&&limit=%31&").await.status, 200);
}
