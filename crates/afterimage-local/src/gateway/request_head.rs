//! The head of a request: what API Gateway refuses before any route is looked for.

use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Version};
use percent_encoding::percent_decode_str;
use url::Url;

use super::refusal::Refusal;

/// The most bytes that the request line and the values of all headers may have together
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const HEAD_BYTES_MAX: usize = 10_240;

/// Checks what every later step relies on: a head of bounded size, one host that a URL may have, and a
/// path of UTF-8.
///
/// # Errors
/// [`Refusal::HeadTooLong`] and [`Refusal::BadRequest`].
pub(super) fn check(parts: &Parts) -> Result<(), Refusal> {
    if bytes(parts) > HEAD_BYTES_MAX {
        return Err(Refusal::HeadTooLong);
    }
    let is_text = percent_decode_str(parts.uri.path()).decode_utf8().is_ok();
    if is_text && has_valid_host(parts) { Ok(()) } else { Err(Refusal::BadRequest) }
}

/// The value of `Authorization`, where there is exactly one: API Gateway joins several by commas, which
/// makes no token.
pub(super) fn authorization(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        (Some(_), Some(_)) | (None, _) => None,
    }
}

fn bytes(parts: &Parts) -> usize {
    let uri = &parts.uri;
    let line = [
        parts.method.as_str().len(),
        uri.scheme_str().map_or(0, |it| it.len() + "://".len()),
        uri.authority().map_or(0, |it| it.as_str().len()),
        uri.path_and_query().map_or(0, |it| it.as_str().len()),
        "  HTTP/1.1".len(),
    ];
    line.into_iter().chain(parts.headers.values().map(HeaderValue::len)).sum()
}

/// HTTP/1.1 asks for exactly one `Host` (RFC 9112, 3.2); later and earlier versions may do without.
fn has_valid_host(parts: &Parts) -> bool {
    let mut hosts = parts.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_host),
        (None, _) => parts.version != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

/// Whether this is a host with or without a port: the function's runtime makes a URL of it.
fn is_host(text: &str) -> bool {
    let is_authority = text.parse::<Authority>().is_ok();
    is_authority && !text.contains('@') && Url::parse(&format!("https://{text}/")).is_ok()
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    #[track_caller]
    fn check_host(host: &str, expected: bool) {
        assert_eq!(is_host(host), expected, "{host}");
    }

    #[test]
    fn a_host_is_one_that_a_url_may_have() {
        for host in ["localhost", "127.0.0.1:3000", "[::1]:3000", "api.example.com", "host:65535"] {
            check_host(host, true);
        }
        for host in [
            "",
            "[",
            "a b",
            "a:65536",
            "a:x",
            "xn--",
            "user@host",
            "%zz",
            "a/b",
            "a?b",
            "a#b",
            "1.2.3.4.5",
            "a\\b",
            "http://a",
        ] {
            check_host(host, false);
        }
    }

    #[track_caller]
    fn check_head(request: axum::http::request::Builder, expected: Result<(), Refusal>) {
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        assert_eq!(check(&parts), expected, "{parts:?}");
    }

    #[test]
    fn heads_are_bounded_and_name_one_host() {
        let of = |uri: &str| Request::builder().uri(uri).header(HOST, "localhost");
        check_head(of("/"), Ok(()));
        check_head(of("/%C3%A9%00"), Ok(()));
        check_head(of("/%ff"), Err(Refusal::BadRequest));
        check_head(of("/").header(HOST, "localhost"), Err(Refusal::BadRequest));
        check_head(Request::builder().uri("/"), Err(Refusal::BadRequest));
        check_head(Request::builder().uri("/").version(Version::HTTP_10), Ok(()));
        // "GET", "/", two spaces, "HTTP/1.1" and "localhost" are 23 bytes.
        let rest = |bytes: usize| of("/").header("x", "x".repeat(bytes - 23));
        check_head(rest(HEAD_BYTES_MAX), Ok(()));
        check_head(rest(HEAD_BYTES_MAX + 1), Err(Refusal::HeadTooLong));
        check_head(of(&format!("/{}", "x".repeat(HEAD_BYTES_MAX))), Err(Refusal::HeadTooLong));
    }

    #[test]
    fn only_one_authorization_counts() {
        let mut headers = HeaderMap::new();
        assert_eq!(authorization(&headers), None);
        headers.append(AUTHORIZATION, "Bearer a".parse().expect("a value"));
        assert_eq!(authorization(&headers), Some("Bearer a"));
        headers.append(AUTHORIZATION, "Bearer a".parse().expect("a value"));
        assert_eq!(authorization(&headers), None);
    }
}
