//! `GET /api/message_groups?limit=&cursor=`: the caller's groups.

use http_api::{ApiError, Caller, Parameters, decode_cursor, encode_cursor};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::key::Key;
use crate::{Messages, key, partition};

/// How many groups a page has where the request does not say.
const LIMIT_DEFAULT: u16 = 50;

/// 200 `{"message_groups": […], "cursor": …}`: the caller's rows with all of their attributes, newest
/// first. A row that moves up while a page is read can be missed by that page; the next request has it.
pub async fn list_message_groups(messages: &Messages, request: Request) -> Response<Body> {
    http_api::answer(list(messages, &request).await)
}

async fn list(messages: &Messages, request: &Request) -> Result<Response<Body>, ApiError> {
    let caller = Caller::of(request)?;
    let mut parameters = Parameters::of(request, &["limit", "cursor"])?;
    let limit = parameters.limit(LIMIT_DEFAULT)?;
    let query = ["message_groups", caller.user_uuid()];
    let start = match parameters.take("cursor") {
        None => None,
        Some(cursor) => {
            let [sk] = decode_cursor(&cursor, &query)?;
            key::checked_sort_key(&sk)?;
            Some(key::row(caller.user_uuid(), &sk))
        }
    };
    let partition = key::row_partition(caller.user_uuid());
    let page = partition::page(messages, &partition, limit, start, |row| row).await?;
    let position = page.last.as_ref().map(|last| messages.origin().read(last)).transpose()?;
    let cursor = position.map(|Key { sk, .. }| encode_cursor(&query, &[&sk]));
    http_api::json(StatusCode::OK, &Listed { message_groups: page.items, cursor })
}

#[derive(Serialize)]
struct Listed {
    message_groups: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}
