//! Reading a partition.

use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnConsumedCapacity};
use http_api::{Item, Page, Read, StoreError, store_error, to_item};

use crate::Messages;
use crate::key::Key;

/// One Query of a partition by consistent reads, the greatest sort key first, behind `start`.
pub(crate) async fn newest_first(
    messages: &Messages,
    partition: &str,
    start: Option<Item>,
    limit: Option<i32>,
) -> Result<QueryOutput, StoreError> {
    messages
        .client
        .query()
        .table_name(messages.table())
        .key_condition_expression("pk = :partition")
        .expression_attribute_values(":partition", AttributeValue::S(partition.to_owned()))
        .consistent_read(true)
        .scan_index_forward(false)
        .return_consumed_capacity(ReturnConsumedCapacity::Total)
        .set_exclusive_start_key(start)
        .set_limit(limit)
        .send()
        .await
        .map_err(|error| store_error("Query of messages", error))
}

/// A page of a partition, the greatest sort key first; `show` makes of an item what the page shows.
pub(crate) async fn page(
    messages: &Messages,
    partition: &str,
    limit: u16,
    start: Option<Key>,
    show: impl Fn(Item) -> Item + Copy,
) -> Result<Page, StoreError> {
    let start = start.map(|key| to_item(&key)).transpose()?;
    http_api::read_page(messages.origin(), limit, start, |start, count| async move {
        let found = newest_first(messages, partition, start, Some(count)).await?;
        let items = found.items.unwrap_or_default().into_iter().map(show).collect();
        Ok(Read { items, next: found.last_evaluated_key })
    })
    .await
}
