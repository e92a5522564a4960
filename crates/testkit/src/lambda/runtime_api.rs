//! The runtime API, as a function's process sees it
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::lambda::{Journal, Moment};

/// What a function reported instead of a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionError {
    /// The kind of error.
    pub error_type: String,
    /// What the error says.
    pub message: String,
}

/// A response as it was sent, or a failure.
pub(crate) type Answer = Result<String, FunctionError>;

/// A running runtime API of one process. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct RuntimeApi {
    port: u16,
    invocations: mpsc::UnboundedSender<Invocation>,
    state: Arc<Api>,
    server: JoinHandle<()>,
    invocation_count: u64,
}

#[derive(Debug)]
struct Api {
    journal: Journal,
    queue: tokio::sync::Mutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Answer>>>,
    is_asked: watch::Sender<bool>,
    init_error: Mutex<Option<FunctionError>>,
}

#[derive(Debug)]
struct Invocation {
    request_id: String,
    event: String,
    deadline_ms: u128,
}

impl RuntimeApi {
    pub(crate) async fn start(journal: Journal) -> Self {
        let (invocations, queue) = mpsc::unbounded_channel();
        let state = Arc::new(Api {
            journal,
            queue: tokio::sync::Mutex::new(queue),
            waiting: Mutex::default(),
            is_asked: watch::Sender::new(false),
            init_error: Mutex::default(),
        });
        let router = Router::new()
            .route("/2018-06-01/runtime/invocation/next", get(next))
            .route("/2018-06-01/runtime/invocation/{request_id}/response", post(response))
            .route("/2018-06-01/runtime/invocation/{request_id}/error", post(error))
            .route("/2018-06-01/runtime/init/error", post(init_error))
            .with_state(Arc::clone(&state));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a server");
        });
        Self { port, invocations, state, server, invocation_count: 0 }
    }

    /// `AWS_LAMBDA_RUNTIME_API`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Queues an event, which has this much time once it is queued.
    pub(crate) fn invoke(&mut self, event: &str, time: Duration) -> oneshot::Receiver<Answer> {
        self.invocation_count += 1;
        let request_id = format!("00000000-0000-4000-8000-{:012}", self.invocation_count);
        let (sender, receiver) = oneshot::channel();
        let mut waiting = self.state.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.insert(request_id.clone(), sender);
        let deadline = SystemTime::now() + time;
        let deadline = deadline.duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
        let deadline_ms = deadline.as_millis();
        let invocation = Invocation { request_id, event: event.to_owned(), deadline_ms };
        self.invocations.send(invocation).expect("the server runs");
        receiver
    }

    /// Returns once the function has asked for its first event.
    pub(crate) async fn asked(&self) {
        self.state.is_asked.subscribe().wait_for(|it| *it).await.expect("the server runs");
    }

    /// Why the function said that it cannot start, if it did.
    pub(crate) fn init_error(&self) -> Option<FunctionError> {
        self.state.init_error.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for RuntimeApi {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Api {
    async fn answer(&self, request_id: &str, moment: Moment, answer: Answer) -> StatusCode {
        let waiting =
            self.waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(request_id);
        let Some(sender) = waiting else {
            return StatusCode::BAD_REQUEST;
        };
        self.journal.write(moment);
        // Whoever invoked it may not wait any more.
        sender.send(answer).ok();
        StatusCode::ACCEPTED
    }
}

async fn next(State(api): State<Arc<Api>>) -> Response {
    api.journal.write(Moment::AskedForEvent);
    api.is_asked.send_replace(true);
    let invocation = api.queue.lock().await.recv().await.expect("the test runs");
    api.journal.write(Moment::GotEvent);
    Response::builder()
        .header("content-type", "application/json")
        .header("lambda-runtime-aws-request-id", invocation.request_id)
        .header("lambda-runtime-deadline-ms", invocation.deadline_ms.to_string())
        .header(
            "lambda-runtime-invoked-function-arn",
            "arn:aws:lambda:us-east-1:123456789012:function:under-test",
        )
        .header("lambda-runtime-trace-id", "Root=1-5bef4de7-ad49b0e87f6ef6c87fc2e700;Sampled=0")
        .body(Body::from(invocation.event))
        .expect("a response")
}

async fn response(
    State(api): State<Arc<Api>>,
    Path(request_id): Path<String>,
    request: Request,
) -> StatusCode {
    let body = String::from_utf8(whole(request).await.to_vec()).expect("UTF-8");
    api.answer(&request_id, Moment::Responded, Ok(body)).await
}

async fn error(
    State(api): State<Arc<Api>>,
    Path(request_id): Path<String>,
    request: Request,
) -> StatusCode {
    let error = function_error(&whole(request).await);
    api.answer(&request_id, Moment::Failed, Err(error)).await
}

async fn init_error(State(api): State<Arc<Api>>, request: Request) -> StatusCode {
    let error = function_error(&whole(request).await);
    *api.init_error.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
    api.journal.write(Moment::FailedToStart);
    StatusCode::ACCEPTED
}

async fn whole(request: Request) -> Bytes {
    to_bytes(request.into_body(), usize::MAX).await.expect("a body")
}

fn function_error(body: &[u8]) -> FunctionError {
    let body: Value = serde_json::from_slice(body).expect("JSON");
    let text = |name: &str| body[name].as_str().expect("a text").to_owned();
    FunctionError { error_type: text("errorType"), message: text("errorMessage") }
}
