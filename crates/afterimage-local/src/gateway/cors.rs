//! CORS, which HTTP APIs answer themselves
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>). Any origin may
//! call, as by default in the template; which of them this machine answers is decided before.

use axum::body::Body;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN,
};
use axum::http::{Method, StatusCode};
use axum::response::Response;

/// As in the template.
pub(super) const METHODS: &str = "GET,POST,PUT,DELETE,OPTIONS";
pub(super) const HEADERS: &str = "authorization,content-type";
pub(super) const MAX_AGE_SECS: &str = "600";

/// Whether a request asks if it may call.
pub(super) fn is_preflight(method: &Method, headers: &HeaderMap) -> bool {
    method == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// The answer to such a request, without calling a function and without a token.
pub(super) fn preflight() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(HEADERS));
    headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE_SECS));
    response
}

/// Lets the page read the response.
pub(super) fn allow(response: &mut Response) {
    let any = HeaderValue::from_static("*");
    response.headers_mut().insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
}
