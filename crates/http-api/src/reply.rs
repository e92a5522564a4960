//! Responses.

use std::error::Error;

use lambda_http::http::StatusCode;
use lambda_http::http::header::{CONTENT_TYPE, HeaderValue};
use lambda_http::{Body, Response};
use serde::Serialize;

use crate::ApiError;

/// A JSON response.
///
/// # Errors
/// [`ApiError::Internal`] for a value that JSON cannot show.
pub fn json(status: StatusCode, value: &impl Serialize) -> Result<Response<Body>, ApiError> {
    let text = serde_json::to_string(value).map_err(ApiError::internal)?;
    Ok(json_text(status, text))
}

/// 204, without a body.
#[must_use]
pub fn no_content() -> Response<Body> {
    let mut response = Response::new(Body::Empty);
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// The response of a handler: its own, or `{"error", "message"}`. An internal cause is logged here,
/// once, with the causes behind it.
#[must_use]
pub fn answer(result: Result<Response<Body>, ApiError>) -> Response<Body> {
    match result {
        Ok(response) => response,
        Err(error) => {
            if let ApiError::Unavailable { source } | ApiError::Internal { source } = &error {
                let cause = causes(source.as_ref());
                tracing::error!(code = error.code(), cause, "request failed");
            }
            let body = serde_json::json!({ "error": error.code(), "message": error.to_string() });
            json_text(error.status(), body.to_string())
        }
    }
}

fn json_text(status: StatusCode, text: String) -> Response<Body> {
    let mut response = Response::new(Body::Text(text));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// An error with the causes behind it, for a log.
#[must_use]
pub fn causes(error: &(dyn Error + 'static)) -> String {
    let chain = std::iter::successors(Some(error), |error| (*error).source());
    chain.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FieldError, InvalidCursor, StoreError};

    #[track_caller]
    fn check(error: impl Into<ApiError>, expected: &str) {
        let response = answer(Err(error.into()));
        let content_type = response.headers().get(CONTENT_TYPE).map(HeaderValue::as_bytes);
        assert_eq!(content_type, Some(b"application/json".as_slice()));
        let body = String::from_utf8_lossy(response.body());
        assert_eq!(format!("{} {body}", response.status().as_u16()), expected);
    }

    #[test]
    fn errors_have_a_stable_code_and_hide_their_cause() {
        let secret = || Box::new(std::io::Error::other("secret"));
        check(
            FieldError::Missing { name: "Artist" },
            r#"400 {"error":"invalid_body","message":"`Artist` is required"}"#,
        );
        check(
            InvalidCursor,
            r#"400 {"error":"invalid_cursor","message":"this cursor belongs to another query, or to none; begin again without one"}"#,
        );
        check(
            ApiError::Unauthorized,
            r#"401 {"error":"unauthorized","message":"sign in first: the request carries no identity"}"#,
        );
        check(
            ApiError::Conflict { code: "album_exists", message: "there".to_owned() },
            r#"409 {"error":"album_exists","message":"there"}"#,
        );
        check(
            StoreError::Busy { operation: "Scan", source: secret() },
            r#"503 {"error":"unavailable","message":"the store is busy; try again in a moment"}"#,
        );
        check(
            StoreError::Failed { operation: "Scan", source: secret() },
            r#"500 {"error":"internal","message":"something went wrong on our side; it is logged"}"#,
        );
    }

    #[test]
    fn the_log_has_every_cause() {
        let error = StoreError::Failed {
            operation: "Scan",
            source: Box::new(std::io::Error::other("disk")),
        };
        assert_eq!(causes(&error), "Scan failed: disk");
    }
}
