//! What clients talk to: it passes requests on to the emulator's own server, and adds what that lacks.

mod connections;
mod control_plane;
mod front_error;
mod open_shard;
mod service_deletion;
mod warm_throughput;

use std::future::IntoFuture as _;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HOST};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, response};
use axum::response::Response;
use axum::serve::ListenerExt as _;
use dynoxide::Database;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{RwLock, oneshot};

use self::connections::Connections;
use self::control_plane::Refusal;
use self::front_error::FrontError;
use crate::expiry;
use crate::guard::Guard;
use crate::stream_records;

/// The longest request that DynamoDB takes, in bytes: 16 MB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const MAX_REQUEST_BYTES: usize = 16 * 1024 * 1024;

/// The header that names the operation, after a dot.
const TARGET: &str = "x-amz-target";
/// The header with a checksum of the body that the emulator sent.
const CHECKSUM: &str = "x-amz-crc32";
const JSON: &str = "application/x-amz-json-1.0";

/// What answering needs.
#[derive(Clone)]
pub(crate) struct Front {
    /// The emulator.
    pub database: Database,
    /// Where SQLite finds the emulator's database.
    pub location: String,
    /// Written to while tables are created: a second connection then changes a database in memory, and whatever the
    /// emulator does meanwhile would fail as locked.
    pub tables: Arc<RwLock<()>>,
    /// Who is answered; everybody if there is no guard.
    pub guard: Option<Guard>,
}

/// Serves until `stop` is sent or dropped, and then finishes the requests in hand. Meanwhile items expire.
///
/// # Errors
/// If the listener fails.
pub(crate) async fn serve(
    listener: TcpListener,
    front: Front,
    stop: oneshot::Receiver<()>,
) -> Result<(), String> {
    let sweeping = expiry::sweep_repeatedly(front.database.clone(), Arc::clone(&front.tables));
    let state = Arc::new((Connections::to(front.database.clone()), front));
    let router = Router::new().fallback(handle).with_state(Arc::clone(&state));
    let stopped = async move {
        // A dropped sender stops it as well.
        stop.await.ok();
    };
    let listener = listener.tap_io(|stream| {
        // Else a small response may wait for the acknowledgement of the one before.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection delays what is small");
        }
    });
    let serving = axum::serve(listener, router).with_graceful_shutdown(stopped);
    let served = tokio::select! {
        served = serving.into_future() => served,
        () = sweeping => Ok(()),
    };
    state.0.close().await;
    served.map_err(|error| format!("server failed: {error}"))
}

async fn handle(State(state): State<Arc<(Connections, Front)>>, request: Request) -> Response {
    let (emulator, front) = &*state;
    let (parts, body) = request.into_parts();
    if let Some(refused) = front.guard.as_ref().and_then(|guard| guard(&parts)) {
        return refused;
    }
    let Ok(body) = to_bytes(body, MAX_REQUEST_BYTES).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE, Body::empty());
    };
    let operation = operation(&parts.headers);
    let response = if operation == "CreateTable" {
        create_table(&state, &parts, body.clone()).await
    } else {
        let _tables = front.tables.read().await;
        pass_on(emulator, &parts, body.clone()).await
    };
    let completed = match response {
        Ok(response) => front.complete(operation, &parts, &body, response).await,
        Err(error) => Err(error),
    };
    completed.unwrap_or_else(|error| {
        let error: &dyn std::error::Error = &error;
        tracing::error!(operation, error, "embedded dynamodb failed");
        refused(&Refusal::internal())
    })
}

async fn pass_on(
    emulator: &Connections,
    parts: &Parts,
    body: Bytes,
) -> Result<Response, FrontError> {
    let mut parts = parts.clone();
    // It may have come in pieces, and goes on as a whole.
    parts.headers.remove(CONTENT_LENGTH);
    Ok(emulator.send(parts, body.into()).await?)
}

/// The response is sent when the new table's stream keeps to the rules. A client that goes away does not stop it.
async fn create_table(
    state: &Arc<(Connections, Front)>,
    parts: &Parts,
    body: Bytes,
) -> Result<Response, FrontError> {
    let (state, parts) = (Arc::clone(state), parts.clone());
    let creation = tokio::spawn(async move {
        let (emulator, front) = &*state;
        let _tables = front.tables.write().await;
        let response = pass_on(emulator, &parts, body).await?;
        if response.status().is_success() {
            stream_records::watch(&front.location)?;
        }
        Ok(response)
    });
    creation.await?
}

impl Front {
    /// Adds to the emulator's response what it lacks.
    async fn complete(
        &self,
        operation: &str,
        parts: &Parts,
        body: &[u8],
        response: Response,
    ) -> Result<Response, FrontError> {
        match (response.status(), operation) {
            (StatusCode::OK, "DescribeStream") => {
                let request = serde_json::from_slice(body)?;
                corrected(response, |it| open_shard::correct(&request, it)).await
            }
            (StatusCode::OK, "CreateTable" | "DeleteTable" | "DescribeTable" | "UpdateTable") => {
                corrected(response, warm_throughput::correct).await
            }
            (StatusCode::OK, "GetRecords") => {
                let (head, page) = collected(response).await?;
                let response = Response::from_parts(head, page.clone().into());
                if !service_deletion::is_in(&page) {
                    return Ok(response);
                }
                corrected(response, service_deletion::correct).await
            }
            (StatusCode::BAD_REQUEST, "") => Ok(response),
            (StatusCode::BAD_REQUEST, operation) => {
                let (head, answer) = collected(response).await?;
                if is_unknown_operation(&answer) {
                    return self.control_plane(operation, parts, body);
                }
                Ok(Response::from_parts(head, answer.into()))
            }
            _ => Ok(response),
        }
    }

    /// Answers what the emulator does not know.
    fn control_plane(
        &self,
        operation: &str,
        parts: &Parts,
        body: &[u8],
    ) -> Result<Response, FrontError> {
        // The emulator has refused what is not JSON; without a body it never looks.
        let Ok(request) = serde_json::from_slice(body) else {
            return Ok(refused(&control_plane::unknown(operation)));
        };
        let table = match control_plane::table_name(&request) {
            Some(name) => self.database.get_table_metadata(name)?,
            None => None,
        };
        let host = parts.headers.get(HOST).and_then(|it| it.to_str().ok()).unwrap_or_default();
        Ok(match control_plane::answer(operation, &request, table.as_ref(), host) {
            Ok(answer) => json_response(StatusCode::OK, &answer),
            Err(refusal) => refused(&refusal),
        })
    }
}

/// The operation that a request asks for, or nothing.
fn operation(headers: &HeaderMap) -> &str {
    let target = headers.get(TARGET).and_then(|it| it.to_str().ok()).unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default()
}

fn is_unknown_operation(answer: &[u8]) -> bool {
    let Ok(answer) = serde_json::from_slice::<Value>(answer) else { return false };
    let code = answer.get("__type").and_then(Value::as_str);
    code.is_some_and(|it| it.ends_with("#UnknownOperationException"))
}

async fn corrected(
    response: Response,
    correct: impl FnOnce(&mut Value),
) -> Result<Response, FrontError> {
    let (mut head, body) = collected(response).await?;
    let mut body = serde_json::from_slice(&body)?;
    correct(&mut body);
    head.headers.remove(CONTENT_LENGTH);
    head.headers.remove(CHECKSUM);
    Ok(Response::from_parts(head, body.to_string().into()))
}

async fn collected(response: Response) -> Result<(response::Parts, Bytes), FrontError> {
    let (head, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await?;
    Ok((head, body))
}

fn refused(refusal: &Refusal) -> Response {
    let body = json!({ "__type": refusal.code, "message": refusal.message });
    json_response(refusal.status, &body)
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let mut response = plain(status, body.to_string().into());
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    response
}

fn plain(status: StatusCode, body: Body) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}
