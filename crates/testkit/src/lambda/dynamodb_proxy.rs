//! A DynamoDB that writes down what is asked of it, and passes it on.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use afterimage_schema::TableNames;
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::response::Response;
use axum::serve::Listener;
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::lambda::access::accesses;
use crate::lambda::{Access, Journal, Moment};

/// Calls that are never answered, until the function gives up or ends.
#[derive(Debug, Clone)]
pub struct Hold {
    /// The operation.
    pub operation: &'static str,
    /// How many of its calls are answered first.
    pub answered_count: usize,
    /// Whether DynamoDB sees them.
    pub at: HoldAt,
}

/// Where a call is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldAt {
    /// DynamoDB never sees it.
    Request,
    /// DynamoDB carries it out, and only the answer is lost.
    Response,
}

/// What calls are answered instead of being passed on.
#[derive(Debug, Clone)]
pub struct FixedAnswer {
    /// The operation.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// The JSON.
    pub body: String,
}

/// A running proxy, on a port of its own. Dropping it ends it.
#[derive(Debug)]
pub struct DynamoDbProxy {
    port: u16,
    state: Arc<Proxy>,
    server: JoinHandle<()>,
}

#[derive(Debug)]
struct Proxy {
    /// `host:port` of the DynamoDB behind it.
    target: String,
    names: TableNames,
    journal: Journal,
    accesses: Mutex<BTreeSet<Access>>,
    hold: Option<Hold>,
    fixed_answer: Option<FixedAnswer>,
    is_held: watch::Sender<bool>,
}

impl DynamoDbProxy {
    /// A proxy of the DynamoDB at this URL, whose tables have these names.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn start(endpoint_url: &str, names: &TableNames) -> Self {
        Self::start_with(endpoint_url, names, None, None).await
    }

    /// The same, with calls that are held.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn holding(endpoint_url: &str, names: &TableNames, hold: Hold) -> Self {
        Self::start_with(endpoint_url, names, Some(hold), None).await
    }

    /// The same, with an operation that is always answered so.
    ///
    /// # Panics
    /// Where no port is free.
    pub async fn answering(endpoint_url: &str, names: &TableNames, answer: FixedAnswer) -> Self {
        Self::start_with(endpoint_url, names, None, Some(answer)).await
    }

    async fn start_with(
        endpoint_url: &str,
        names: &TableNames,
        hold: Option<Hold>,
        fixed_answer: Option<FixedAnswer>,
    ) -> Self {
        let target = endpoint_url.strip_prefix("http://").expect("an HTTP endpoint");
        let state = Arc::new(Proxy {
            target: target.trim_end_matches('/').to_owned(),
            names: names.clone(),
            journal: Journal::default(),
            accesses: Mutex::default(),
            hold,
            fixed_answer,
            is_held: watch::Sender::new(false),
        });
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let listener = Noticing { listener, journal: state.journal.clone() };
        let router = Router::new().fallback(pass_on).with_state(Arc::clone(&state));
        let server = tokio::spawn(async move {
            axum::serve(listener, router).await.expect("a server");
        });
        Self { port, state, server }
    }

    /// Its URL.
    #[must_use]
    pub fn endpoint_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Where its moments are written.
    #[must_use]
    pub fn journal(&self) -> &Journal {
        &self.state.journal
    }

    /// The permissions that the calls so far needed.
    #[must_use]
    pub fn accesses(&self) -> BTreeSet<Access> {
        self.state.accesses.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns once a call is held.
    ///
    /// # Panics
    /// Never: the proxy holds the sender.
    pub async fn held(&self) {
        self.state.is_held.subscribe().wait_for(|it| *it).await.expect("a sender");
    }
}

impl Drop for DynamoDbProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// A listener that notices connections.
struct Noticing {
    listener: TcpListener,
    journal: Journal,
}

impl Listener for Noticing {
    type Io = TcpStream;
    type Addr = std::net::SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let accepted = Listener::accept(&mut self.listener).await;
        self.journal.write(Moment::Connected);
        accepted
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

async fn pass_on(State(proxy): State<Arc<Proxy>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("a body");
    let target = parts.headers.get("x-amz-target").expect("an operation");
    let target = target.to_str().expect("text").to_owned();
    let operation = target.rsplit('.').next().expect("an operation").to_owned();
    let needed = accesses(&proxy.names, &operation, &serde_json::from_slice(&body).expect("JSON"));
    proxy.accesses.lock().unwrap_or_else(PoisonError::into_inner).extend(needed);
    let moment = Moment::Called(operation);
    proxy.journal.write(moment.clone());
    let held_at = proxy.hold.as_ref().and_then(|hold| {
        let is_held = moment == Moment::Called(hold.operation.to_owned())
            && proxy.journal.count(&moment) > hold.answered_count;
        is_held.then_some(hold.at)
    });
    if held_at == Some(HoldAt::Request) {
        proxy.hold_for_ever().await;
    }
    let fixed = proxy.fixed_answer.as_ref();
    let fixed = fixed.filter(|it| moment == Moment::Called(it.operation.to_owned()));
    let answer = match fixed {
        Some(fixed) => fixed.response(),
        None => proxy.forward(parts, body).await,
    };
    if held_at == Some(HoldAt::Response) {
        proxy.hold_for_ever().await;
    }
    answer
}

impl FixedAnswer {
    fn response(&self) -> Response {
        Response::builder()
            .status(self.status)
            .header("content-type", "application/x-amz-json-1.0")
            .body(Body::from(self.body.clone()))
            .expect("a response")
    }
}

impl Proxy {
    async fn hold_for_ever(&self) {
        self.is_held.send_replace(true);
        std::future::pending::<()>().await;
    }

    async fn forward(&self, parts: Parts, body: Bytes) -> Response {
        let stream = TcpStream::connect(&self.target).await.expect("the DynamoDB behind");
        let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream));
        let (mut sender, connection) = handshake.await.expect("a connection");
        let connection = tokio::spawn(connection);
        let request = hyper::Request::from_parts(parts, Full::new(body));
        let response = sender.send_request(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("a whole answer").to_bytes();
        connection.abort();
        Response::from_parts(parts, Body::from(body))
    }
}
