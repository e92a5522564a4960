//! Connections to the emulator's server that nobody else can make.
//!
//! The server takes a TCP listener, and who finds its port could pass the guard by. So a listener is made for one
//! connection, and is closed as soon as that connection has been accepted, before a request goes over it. The server's
//! task of the connection outlives its listener.

use std::net::Ipv4Addr;
use std::sync::{Mutex, PoisonError};

use axum::body::{Body, Bytes};
use axum::http::header::{HOST, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, Response, Uri, Version};
use dynoxide::{Database, server};
use http_body_util::BodyExt as _;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// What one hop says to the next only (RFC 9110, 7.6.1 and 10.1.1).
const OF_ONE_HOP: [&str; 7] = [
    "connection",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectionError {
    /// No connection could be made.
    #[error("a connection to the embedded DynamoDB could not be made")]
    Connect(#[from] std::io::Error),
    /// The server ended.
    #[error("the embedded DynamoDB does not serve: {reason}")]
    Ended {
        /// What it said.
        reason: String,
    },
    /// The connection failed, or the request's body did.
    #[error("the connection to the embedded DynamoDB failed")]
    Exchange(#[from] hyper::Error),
}

/// The connections of this process: as many as requests were in hand at once.
pub(super) struct Connections {
    database: Database,
    idle: Mutex<Vec<SendRequest<Body>>>,
    open: Mutex<JoinSet<()>>,
}

impl Connections {
    /// None yet, to a server over this database.
    pub(super) fn to(database: Database) -> Self {
        Self { database, idle: Mutex::default(), open: Mutex::default() }
    }

    /// Sends a request, and returns its whole response.
    ///
    /// # Errors
    /// [`ConnectionError`]; the request may have been carried out.
    pub(super) async fn send(
        &self,
        mut parts: Parts,
        body: Body,
    ) -> Result<Response<Body>, ConnectionError> {
        remove_of_one_hop(&mut parts.headers);
        parts.version = Version::HTTP_11;
        if let Some(path) = parts.uri.path_and_query() {
            parts.uri = Uri::from(path.clone());
        }
        let mut connection = self.connection().await?;
        let response = exchange(&mut connection, Request::from_parts(parts, body)).await?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        Ok(response.map(Body::from))
    }

    /// Closes the connections, once no request is in hand.
    pub(super) async fn close(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let mut open =
            std::mem::take(&mut *self.open.lock().unwrap_or_else(PoisonError::into_inner));
        while open.join_next().await.is_some() {}
    }

    /// A connection without a request in hand.
    async fn connection(&self) -> Result<SendRequest<Body>, ConnectionError> {
        loop {
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut connection) = idle else { return self.open().await };
            // The server closes a connection whose request it did not read to its end.
            if connection.ready().await.is_ok() {
                return Ok(connection);
            }
        }
    }

    async fn open(&self) -> Result<SendRequest<Body>, ConnectionError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let stream = TcpStream::connect(listener.local_addr()?).await?;
        stream.set_nodelay(true)?;
        let (ended, is_ended) = oneshot::channel::<()>();
        let until_ended = async move {
            // A dropped sender stops the server's task as well.
            is_ended.await.ok();
        };
        let server = server::serve_with_shutdown(listener, self.database.clone(), until_ended);
        let (mut connection, driver) = http1::handshake(TokioIo::new(stream)).await?;
        let driver = async move {
            // A failure shows in the request that it hit.
            driver.await.ok();
            drop(ended);
        };
        {
            let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
            while open.try_join_next().is_some() {}
            open.spawn(driver);
        }
        // The first answer says that the connection has been accepted; then the server's listener is dropped.
        tokio::select! {
            ended = server => {
                let reason = ended.err().unwrap_or_else(|| "it ended".to_owned());
                Err(ConnectionError::Ended { reason })
            }
            answer = exchange(&mut connection, health_check()) => answer.map(|_| connection),
        }
    }
}

async fn exchange(
    connection: &mut SendRequest<Body>,
    request: Request<Body>,
) -> Result<Response<Bytes>, ConnectionError> {
    connection.ready().await?;
    let (mut parts, body) = connection.send_request(request).await?.into_parts();
    remove_of_one_hop(&mut parts.headers);
    Ok(Response::from_parts(parts, body.collect().await?.to_bytes()))
}

fn remove_of_one_hop(headers: &mut HeaderMap) {
    for name in OF_ONE_HOP {
        headers.remove(name);
    }
}

/// The emulator answers it without reading the database.
fn health_check() -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    request.headers_mut().insert(HOST, HeaderValue::from_static("localhost"));
    request
}
