//! `POST /local/token`: signs in as anybody, on one's own machine.

use axum::http::StatusCode;
use axum::response::Response;
use messages::EnsureProfileError;
use serde::Deserialize;
use serde_json::json;
use time::OffsetDateTime;

use super::authorizer::Authorizer;
use super::refusal::{Refusal, json_response};
use crate::applications::Applications;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignIn {
    handle: String,
}

/// 200 `{"token", "user_uuid"}` for a handle; its profile is made if there is none; 404 on a stack without profiles. 400 for a body
/// that is no such object, and for a handle that cannot be one.
pub(super) async fn sign_in(
    applications: &Applications,
    authorizer: &Authorizer,
    body: &[u8],
    now: OffsetDateTime,
) -> Result<Response, Refusal> {
    let Ok(SignIn { handle }) = serde_json::from_slice(body) else {
        let problem = r#"send {"handle": "..."}"#;
        return Ok(refused(StatusCode::BAD_REQUEST, "invalid_body", problem));
    };
    let profile = match applications.profile(&handle).await.ok_or(Refusal::NotFound)? {
        Ok(profile) => profile,
        Err(EnsureProfileError::Handle(error)) => {
            let problem = error.to_string();
            return Ok(refused(StatusCode::BAD_REQUEST, "invalid_handle", &problem));
        }
        Err(error @ EnsureProfileError::Store(_)) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::error!(%error, cause, "sign-in failed");
            return Ok(failed());
        }
    };
    match authorizer.issue(&profile.user_uuid, &profile.user_handle, now) {
        Ok(token) => {
            let body = json!({ "token": token, "user_uuid": profile.user_uuid });
            Ok(json_response(StatusCode::OK, &body))
        }
        Err(error) => {
            tracing::error!(%error, "token not signed");
            Ok(failed())
        }
    }
}

fn failed() -> Response {
    refused(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the sign-in failed; see the log")
}

fn refused(status: StatusCode, error: &str, message: &str) -> Response {
    json_response(status, &json!({ "error": error, "message": message }))
}
