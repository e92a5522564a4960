//! The body of a request, read whole.

use std::error::Error;

use axum::body::{Body, Bytes, to_bytes};
use http_body_util::LengthLimitError;

use super::refusal::Refusal;

/// The largest body that an HTTP API takes, in bytes: 10 MB
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const BODY_BYTES_MAX: usize = 10 * 1024 * 1024;

/// The bytes of a body. What is behind the limit is not read.
///
/// # Errors
/// [`Refusal::TooLong`], and [`Refusal::BadRequest`] for a body that ends before its length or whose
/// chunks are none.
pub(super) async fn read(body: Body) -> Result<Bytes, Refusal> {
    to_bytes(body, BODY_BYTES_MAX).await.map_err(|error| {
        let is_too_long = error.source().is_some_and(<dyn Error>::is::<LengthLimitError>);
        if is_too_long { Refusal::TooLong } else { Refusal::BadRequest }
    })
}
