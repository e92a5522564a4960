//! Who may call the DynamoDB port.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use embedded_dynamodb::Guard;
use serde_json::json;

use crate::callers::{CallerRefusal, Callers};

/// Answers only these callers.
pub(super) fn guard(callers: Callers) -> Guard {
    Arc::new(move |request: &Parts| {
        let refusal = callers.check(request).err()?;
        tracing::warn!(%refusal, "request refused");
        Some(forbidden(&refusal))
    })
}

/// An error in DynamoDB's shape
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.LowLevelAPI.html>).
fn forbidden(refusal: &CallerRefusal) -> Response<Body> {
    let body = json!({
        "__type": "com.amazon.coral.service#AccessDeniedException",
        "message": refusal.to_string(),
    });
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = StatusCode::FORBIDDEN;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}
