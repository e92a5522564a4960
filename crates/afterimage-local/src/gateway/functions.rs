//! Calls the functions' handlers in this process.

use std::time::Duration;

use albums::Albums;
use lambda_http::{Body, Request, Response};
use messages::Messages;
use serde_json::Value;
use tracing::Instrument;

use super::refusal::Refusal;
use super::routes::FunctionName;
use crate::logs::INVOCATION_TARGET;

/// The longest that an HTTP API waits for a function
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const INTEGRATION_TIMEOUT: Duration = Duration::from_secs(30);

/// What the handlers depend on.
#[derive(Debug, Clone)]
pub(crate) struct Functions {
    pub albums: Albums,
    pub messages: Messages,
}

impl Functions {
    /// Calls a function with an event, alone in its task: a panic, of the runtime's reading of the event
    /// too, fails this request only.
    pub(super) async fn call(
        &self,
        function: FunctionName,
        event: &Value,
    ) -> Result<Response<Body>, Refusal> {
        let request_id = event.pointer("/requestContext/requestId").and_then(Value::as_str);
        let span = tracing::info_span!(
            target: INVOCATION_TARGET, "invoke", requestId = request_id, function = ?function
        );
        let (functions, event) = (self.clone(), event.to_string());
        let handled = async move {
            let request = lambda_http::request::from_str(&event)?;
            Ok::<_, serde_json::Error>(functions.dispatch(function, request).await)
        };
        let mut task = tokio::spawn(handled.instrument(span));
        match tokio::time::timeout(INTEGRATION_TIMEOUT, &mut task).await {
            Ok(Ok(Ok(response))) => Ok(response),
            Ok(Ok(Err(error))) => {
                tracing::error!(?function, %error, "event not readable");
                Err(Refusal::InternalServerError)
            }
            Ok(Err(error)) => {
                tracing::error!(?function, %error, "function panicked");
                Err(Refusal::InternalServerError)
            }
            Err(_) => {
                task.abort();
                tracing::error!(?function, "function timed out");
                Err(Refusal::ServiceUnavailable)
            }
        }
    }

    async fn dispatch(&self, function: FunctionName, request: Request) -> Response<Body> {
        match function {
            FunctionName::ListAlbums => albums::list_albums(&self.albums, request).await,
            FunctionName::AddAlbum => albums::add_album(&self.albums, request).await,
            FunctionName::UpdateAlbum => albums::update_album(&self.albums, request).await,
            FunctionName::DeleteAlbum => albums::delete_album(&self.albums, request).await,
            FunctionName::ListGenres => albums::list_genres(&self.albums, request).await,
            FunctionName::ListMessageGroups => {
                messages::list_message_groups(&self.messages, request).await
            }
            FunctionName::ListMessages => messages::list_messages(&self.messages, request).await,
            FunctionName::PostMessage => messages::post_message(&self.messages, request).await,
        }
    }
}
