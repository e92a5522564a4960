//! `afterimage token`: signs somebody in to the local stack.

use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::json;
use tokio::net::TcpStream;

use crate::connection::ConnectionArguments;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output};

/// A token is far smaller; what answers with more is not the local stack.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// The local stack answers at once or not at all.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

const EXAMPLES: &str = "\
Examples:
  afterimage token ada-demo
  curl -H \"Authorization: Bearer $(afterimage token ada-demo)\" http://127.0.0.1:3000/api/message_groups";

/// The arguments of `token`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct TokenArguments {
    /// The handle to sign in; the local stack makes a profile where there is none
    handle: String,
    /// The URL of the local stack's HTTP API
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:3000")]
    http_url: Uri,
    #[command(flatten)]
    connection: ConnectionArguments,
}

#[derive(Debug, Deserialize)]
struct Answer {
    token: String,
    user_uuid: String,
}

/// Prints a token, by itself on a line.
pub async fn run(arguments: TokenArguments) -> anyhow::Result<Status> {
    if arguments.connection.is_aws() {
        return Err(Failure::usage(
            "token signs in to the local stack only",
            "on AWS, sign in to the Cognito user pool of the deployed template",
        )
        .into());
    }
    let body = json!({ "handle": arguments.handle }).to_string();
    let (status, text) =
        post_in_time(&arguments.http_url, "/local/token", body).await.map_err(|error| {
            let sentence = format!("no local stack answers at {}", arguments.http_url);
            let next = "start it with `cargo run -- up`, or name its URL with --http-url";
            Failure::new(sentence, next).because(error)
        })?;
    if status != StatusCode::OK {
        let sentence = format!("the local stack gave no token, but status {status}: {text}");
        return Err(Failure::new(sentence, "give a handle that it accepts").into());
    }
    let answer: Answer =
        serde_json::from_slice(text.as_bytes()).context("the local stack's answer is no token")?;
    let mut output = Output::new();
    match arguments.connection.format() {
        Format::Table => output.line(&answer.token)?,
        Format::Json => {
            output.json(&json!({ "token": answer.token, "user_uuid": answer.user_uuid }))?;
        }
    }
    output.finish()?;
    Ok(Status::Done)
}

async fn post_in_time(url: &Uri, path: &str, body: String) -> anyhow::Result<(StatusCode, String)> {
    tokio::time::timeout(ANSWER_TIMEOUT, post(url, path, body)).await.context("no answer came")?
}

/// One request over plain HTTP: the local stack speaks nothing else.
async fn post(url: &Uri, path: &str, body: String) -> anyhow::Result<(StatusCode, String)> {
    anyhow::ensure!(url.scheme_str() == Some("http"), "only http:// URLs are spoken");
    let host = url.host().context("the URL names no host")?;
    let authority = format!("{host}:{}", url.port_u16().unwrap_or(80));
    let stream = TcpStream::connect(&authority).await?;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let request = Request::builder()
        .method(Method::POST)
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
