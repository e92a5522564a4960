//! `GET /api/messages/{message_group_uuid}?limit=&cursor=`: the messages of a group.

use http_api::{ApiError, Caller, Item, Parameters, decode_cursor, encode_cursor};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, RequestExt, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::item::with_group;
use crate::key::Key;
use crate::membership::{self, GROUP_ID_BYTES_MAX};
use crate::{Messages, key, partition};

/// How many messages a page has where the request does not say.
const LIMIT_DEFAULT: u16 = 20;

/// 200 `{"messages": […], "cursor": …}`: the newest page first, and in it the messages in reading order,
/// with all of their attributes and `message_group_uuid`. The cursor leads to older ones. 403
/// `not_a_member` for everybody who has no row of the group.
pub async fn list_messages(messages: &Messages, request: Request) -> Response<Body> {
    http_api::answer(list(messages, &request).await)
}

async fn list(messages: &Messages, request: &Request) -> Result<Response<Body>, ApiError> {
    let caller = Caller::of(request)?;
    let group_uuid = group_uuid(request)?;
    let mut parameters = Parameters::of(request, &["limit", "cursor"])?;
    let limit = parameters.limit(LIMIT_DEFAULT)?;
    let query = ["messages", group_uuid];
    let start = match parameters.take("cursor") {
        None => None,
        Some(cursor) => {
            let [sk] = decode_cursor(&cursor, &query)?;
            key::checked_sort_key(&sk)?;
            Some(key::message(group_uuid, &sk))
        }
    };
    membership::require(messages, caller.user_uuid(), group_uuid).await?;
    let partition = key::message_partition(group_uuid);
    let show = |item: Item| with_group(item, group_uuid);
    let mut page = partition::page(messages, &partition, limit, start, show).await?;
    page.items.reverse();
    let position = page.last.as_ref().map(|last| messages.origin().read(last)).transpose()?;
    let cursor = position.map(|Key { sk, .. }| encode_cursor(&query, &[&sk]));
    http_api::json(StatusCode::OK, &Listed { messages: page.items, cursor })
}

#[derive(Serialize)]
struct Listed {
    messages: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

fn group_uuid(request: &Request) -> Result<&str, ApiError> {
    request
        .path_parameters_ref()
        .and_then(|parameters| parameters.first("message_group_uuid"))
        .filter(|text| membership::is_group_id(text))
        .ok_or_else(|| {
            ApiError::invalid_parameter(format!(
                "the path must end with the group's id, of 1 to {GROUP_ID_BYTES_MAX} bytes"
            ))
        })
}
