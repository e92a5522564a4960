//! Calls the functions' handlers in this process.

use std::time::Duration;

use lambda_http::{Body, Response};
use serde_json::Value;
use tracing::Instrument;

use super::refusal::Refusal;
use crate::applications::Applications;
use crate::logs::INVOCATION_TARGET;

/// The longest that an HTTP API waits for a function
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// The functions, as the gateway calls them.
#[derive(Debug, Clone)]
pub(crate) struct Functions(pub(crate) Applications);

impl Functions {
    /// Calls a function with an event, alone in its task: a panic, of the runtime's reading of the event
    /// too, fails this request only.
    pub(super) async fn call(
        &self,
        function: &str,
        event: &Value,
    ) -> Result<Response<Body>, Refusal> {
        let request_id = event.pointer("/requestContext/requestId").and_then(Value::as_str);
        let span = tracing::info_span!(
            target: INVOCATION_TARGET, "invoke", requestId = request_id, function
        );
        let (applications, event) = (self.0.clone(), event.to_string());
        let name = function.to_owned();
        let handled = async move {
            let request = lambda_http::request::from_str(&event)?;
            Ok::<_, serde_json::Error>(applications.call(&name, request).await)
        };
        let mut task = tokio::spawn(handled.instrument(span));
        match tokio::time::timeout(INTEGRATION_TIMEOUT, &mut task).await {
            Ok(Ok(Ok(Some(response)))) => Ok(response),
            Ok(Ok(Ok(None))) => Err(Refusal::NotFound),
            Ok(Ok(Err(error))) => {
                tracing::error!(function, %error, "event not readable");
                Err(Refusal::InternalServerError)
            }
            Ok(Err(error)) => {
                tracing::error!(function, %error, "function panicked");
                Err(Refusal::InternalServerError)
            }
            Err(_) => {
                task.abort();
                tracing::error!(function, "function timed out");
                Err(Refusal::ServiceUnavailable)
            }
        }
    }
}
