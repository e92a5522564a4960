//! What the local stack tells.

use hyper::{Method, StatusCode, Uri};
use serde::{Deserialize, Serialize};

use super::batches::Batches;
use crate::commands::local_stack::ask;
use crate::failure::Failure;

/// What the local stack tells of itself.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Stack {
    pub drained: bool,
    pub records_processed: u64,
    pub pending: u64,
    pub on_failure: u64,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(flatten)]
    stack: Stack,
    #[serde(flatten)]
    batches: Batches,
}

/// Asks the stack at a URL.
pub(super) async fn ask_stack(url: &Uri) -> anyhow::Result<(Stack, Batches)> {
    let (status, text) = ask(url, Method::GET, "/local/status", String::new()).await?;
    if status != StatusCode::OK {
        let sentence = format!("what answers at {url} gave no status, but {status}");
        let next = "name the URL of a local stack with --http-url";
        return Err(Failure::new(sentence, next).into());
    }
    let answer: Answer = serde_json::from_str(&text).map_err(|error| {
        let sentence = format!("what answers at {url} is not a local stack of this version");
        let next = "name the URL of a local stack with --http-url, or start it anew";
        Failure::new(sentence, next).because(error)
    })?;
    Ok((answer.stack, answer.batches))
}
