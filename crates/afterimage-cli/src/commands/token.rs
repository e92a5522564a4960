//! `afterimage token`: signs somebody in to the local stack.

use anyhow::Context as _;
use clap::Args;
use hyper::{Method, StatusCode, Uri};
use serde::Deserialize;
use serde_json::json;

use super::local_stack::ask;
use crate::connection::ConnectionArguments;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output};

const EXAMPLES: &str = "\
Examples:
  afterimage token ada-demo
  curl -H \"Authorization: Bearer $(afterimage token ada-demo)\" http://127.0.0.1:3000/api/message_groups";

/// The arguments of `token`.
#[derive(Debug, Args)]
#[command(
    after_help = EXAMPLES,
    mut_arg("endpoint", |endpoint| endpoint.hide(true)),
    mut_arg("aws", |aws| aws.hide(true)),
)]
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
    if arguments.connection.has_endpoint() {
        return Err(Failure::usage(
            "token asks the local stack's HTTP API, and no DynamoDB: --endpoint says nothing to it",
            "name the stack with --http-url",
        )
        .into());
    }
    let body = json!({ "handle": arguments.handle }).to_string();
    let (status, text) = ask(&arguments.http_url, Method::POST, "/local/token", body).await?;
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
