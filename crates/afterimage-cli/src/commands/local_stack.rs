//! The local stack's HTTP API, as commands ask it.

use std::time::Duration;

use anyhow::Context as _;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::failure::Failure;

/// Its answers are far smaller; what answers with more is not the local stack.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The local stack answers at once or not at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

/// Sends a request, and gives the status and the body of the answer.
pub async fn ask(
    url: &Uri,
    method: Method,
    path: &str,
    body: String,
) -> Result<(StatusCode, String), Failure> {
    let answered = tokio::time::timeout(ANSWER_TIMEOUT, send(url, method, path, body)).await;
    answered.context("no answer came").and_then(|answer| answer).map_err(|error| {
        let sentence = format!("no local stack answers at {url}");
        let next = "start it with `cargo run -- up`, or name its URL with --http-url";
        Failure::new(sentence, next).because(error)
    })
}

/// One request over plain HTTP: the local stack speaks nothing else.
async fn send(
    url: &Uri,
    method: Method,
    path: &str,
    body: String,
) -> anyhow::Result<(StatusCode, String)> {
    anyhow::ensure!(url.scheme_str() == Some("http"), "only http:// URLs are spoken");
    let host = url.host().context("the URL names no host")?;
    let authority = format!("{host}:{}", url.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(HOST, authority)
        .header(CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))?;
    let exchange = async {
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await;
        let bytes = body.map_err(anyhow::Error::from_boxed)?.to_bytes();
        // Our side of the connection ends with the sender.
        drop(sender);
        anyhow::Ok((status, String::from_utf8(bytes.to_vec())?))
    };
    let (answer, closed) = tokio::join!(exchange, connection);
    let answer = answer?;
    closed?;
    Ok(answer)
}
