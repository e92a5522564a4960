//! Serves the emulator behind a guard.
//!
//! The emulator's own server cannot be wrapped: its router is private, and it takes a listener. So the guarded port is
//! served here, and requests go on to the emulator's server over connections of this process.

mod connections;

use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use dynoxide::Database;
use tokio::net::TcpListener;

use self::connections::Connections;

/// Decides by its head whether a request is answered: `None` lets it through, a response is what the caller gets instead.
/// It runs for every request, and before anything of it is carried out.
pub type Guard = Arc<dyn Fn(&Parts) -> Option<Response<Body>> + Send + Sync>;

struct Guarded {
    guard: Guard,
    connections: Connections,
}

impl fmt::Debug for Guarded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guarded").finish_non_exhaustive()
    }
}

/// Serves until `stopped` is ready, and then finishes the requests in hand.
///
/// # Errors
/// If the listener fails.
pub(crate) async fn serve(
    listener: TcpListener,
    database: Database,
    guard: Guard,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> Result<(), String> {
    let guarded = Arc::new(Guarded { guard, connections: Connections::to(database) });
    let router = Router::new().fallback(handle).with_state(Arc::clone(&guarded));
    let served = axum::serve(listener, router).with_graceful_shutdown(stopped).await;
    guarded.connections.close().await;
    served.map_err(|error| format!("server failed: {error}"))
}

async fn handle(State(guarded): State<Arc<Guarded>>, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    if let Some(refused) = (guarded.guard)(&parts) {
        return refused;
    }
    guarded.connections.send(parts, body).await.unwrap_or_else(|error| {
        tracing::error!(%error, "embedded dynamodb did not answer");
        let mut response = Response::new(Body::from(
            r#"{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"The embedded DynamoDB did not answer."}"#,
        ));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        response
    })
}
