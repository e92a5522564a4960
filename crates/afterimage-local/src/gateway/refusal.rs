//! The gateway's own refusals, in API Gateway's shape.

use axum::body::Body;
use axum::http::{StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::callers::CallerRefusal;

/// What the gateway refuses without calling a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The request is not well-formed: its head, or a body that ends before its length.
    BadRequest,
    NotFound,
    Unauthorized,
    TooLong,
    HeadTooLong,
    /// The function failed, or its response is none.
    InternalServerError,
    /// The function took too long.
    ServiceUnavailable,
}

impl Refusal {
    pub(super) fn response(self) -> Response {
        let (status, message) = match self {
            Refusal::BadRequest => (StatusCode::BAD_REQUEST, "Bad Request"),
            Refusal::NotFound => (StatusCode::NOT_FOUND, "Not Found"),
            Refusal::Unauthorized => (StatusCode::UNAUTHORIZED, "Unauthorized"),
            Refusal::TooLong => (StatusCode::PAYLOAD_TOO_LARGE, "Request Too Long"),
            Refusal::HeadTooLong => {
                (StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "Request Header Fields Too Large")
            }
            Refusal::InternalServerError => {
                (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
            }
            Refusal::ServiceUnavailable => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
        };
        let mut response = json_response(status, &json!({ "message": message }));
        if self == Refusal::Unauthorized {
            let value = header::HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, value);
        }
        response
    }
}

/// The response to a caller that may not call.
pub(super) fn forbidden(refusal: &CallerRefusal) -> Response {
    json_response(StatusCode::FORBIDDEN, &json!({ "message": refusal.to_string() }))
}

/// A response with a JSON body.
pub(super) fn json_response(status: StatusCode, body: &serde_json::Value) -> Response {
    let mut response = Response::new(Body::from(body.to_string()));
    *response.status_mut() = status;
    let value = header::HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, value);
    response
}
