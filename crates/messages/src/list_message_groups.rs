//! `GET /api/message_groups?limit=&cursor=`: the caller's groups.

use aws_sdk_dynamodb::types::AttributeValue;
use http_api::{
    ApiError, Caller, Item, Page, Parameters, Read, StoreError, decode_cursor, encode_cursor,
    store_error, text_attribute,
};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;
use serde_json::value::RawValue;

use crate::{Messages, key};

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
    let page = rows(messages, caller.user_uuid(), limit, start).await?;
    let position = page.last.as_ref().map(|last| text_attribute(last, "sk")).transpose()?;
    let cursor = position.map(|sk| encode_cursor(&query, &[sk]));
    http_api::json(StatusCode::OK, &Listed { message_groups: page.items, cursor })
}

#[derive(Serialize)]
struct Listed {
    message_groups: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

async fn rows(
    messages: &Messages,
    owner_uuid: &str,
    limit: u16,
    start: Option<Item>,
) -> Result<Page, StoreError> {
    http_api::read_page(limit, start, |start, count| async move {
        let found = messages
            .client
            .query()
            .table_name(messages.table())
            .key_condition_expression("pk = :rows")
            .expression_attribute_values(":rows", AttributeValue::S(key::row_partition(owner_uuid)))
            .consistent_read(true)
            .scan_index_forward(false)
            .set_exclusive_start_key(start)
            .limit(count)
            .send()
            .await
            .map_err(|error| store_error("Query of group rows", error))?;
        Ok(Read { items: found.items.unwrap_or_default(), next: found.last_evaluated_key })
    })
    .await
}
