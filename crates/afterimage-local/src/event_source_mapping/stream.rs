//! The stream of a table: where it is, and its shards.

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::BoxError;
use aws_sdk_dynamodbstreams::types::{Record as RawRecord, ShardIteratorType};
use tokio::task::JoinError;

use super::record::{IncompleteRecord, SequenceNumber};

/// Why a stream could not be read.
#[derive(Debug, thiserror::Error)]
pub enum StreamError {
    /// The stream, or the shard, is not there (any more).
    #[error("the stream is gone")]
    Gone,
    /// The shard iterator is too old.
    #[error("the shard iterator has expired")]
    Expired,
    /// The records behind the checkpoint are gone: older than a stream keeps them.
    #[error("the records behind the checkpoint were trimmed")]
    Trimmed,
    /// The call failed.
    #[error("a call of the DynamoDB Streams API failed")]
    Call(#[source] BoxError),
    /// The records could not be counted.
    #[error(transparent)]
    Count(#[from] embedded_dynamodb::StreamCountError),
    /// A record lacks what every record has. It is not passed over.
    #[error("a record of the stream is incomplete; the shard waits at it")]
    Record(#[source] IncompleteRecord),
    /// A lane of a shard panicked.
    #[error("a lane of the shard panicked; its records come again")]
    Lane(#[source] JoinError),
}

/// A shard, as far as reading it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shard {
    pub id: String,
    pub parent_id: Option<String>,
}

/// One page of a shard.
#[derive(Debug)]
pub(super) struct Page {
    pub records: Vec<RawRecord>,
    /// Where the next page begins; `None` where the shard is closed and this is its end.
    pub next: Option<String>,
}

/// The ARN of the stream of a table; `None` where it has none.
pub(super) async fn find(client: &Client, table_name: &str) -> Result<Option<String>, StreamError> {
    let list = client.list_streams().table_name(table_name).send().await;
    let list = list.map_err(|error| StreamError::Call(error.into()))?;
    // The newest is the last: older ones were disabled, and are read to their end by nobody here.
    Ok(list.streams().last().and_then(|stream| stream.stream_arn()).map(str::to_owned))
}

/// A stream, and the table that has it as long as it is current.
#[derive(Debug, Clone)]
pub(super) struct CurrentStream {
    pub client: Client,
    pub table_name: String,
    pub stream_arn: String,
}

impl CurrentStream {
    /// Whether the table still has this stream, and not another or none. A failing call says nothing.
    pub(super) async fn is_current(&self) -> bool {
        match find(&self.client, &self.table_name).await {
            Ok(found) => found.as_ref() == Some(&self.stream_arn),
            Err(_) => true,
        }
    }
}

/// The shards of a stream, on all pages.
pub(super) async fn shards(client: &Client, stream_arn: &str) -> Result<Vec<Shard>, StreamError> {
    let mut shards = Vec::new();
    let mut after = None;
    loop {
        let request = client.describe_stream().stream_arn(stream_arn);
        let page = request.set_exclusive_start_shard_id(after).send().await;
        let page = page.map_err(|error| match error.as_service_error() {
            Some(service) if service.is_resource_not_found_exception() => StreamError::Gone,
            _ => StreamError::Call(error.into()),
        })?;
        let description = page.stream_description.ok_or(StreamError::Gone)?;
        for shard in description.shards() {
            if let Some(id) = shard.shard_id() {
                let parent_id = shard.parent_shard_id().map(str::to_owned);
                shards.push(Shard { id: id.to_owned(), parent_id });
            }
        }
        after = description.last_evaluated_shard_id;
        if after.is_none() {
            return Ok(shards);
        }
    }
}

/// An iterator behind a record, or at the shard's beginning. `None`: the shard is closed there.
pub(super) async fn iterator(
    client: &Client,
    stream_arn: &str,
    shard_id: &str,
    after: Option<&SequenceNumber>,
) -> Result<Option<String>, StreamError> {
    let kind = match after {
        Some(_) => ShardIteratorType::AfterSequenceNumber,
        None => ShardIteratorType::TrimHorizon,
    };
    let request = client.get_shard_iterator().stream_arn(stream_arn).shard_id(shard_id);
    let answer = request
        .shard_iterator_type(kind)
        .set_sequence_number(after.map(ToString::to_string))
        .send()
        .await;
    let answer = answer.map_err(|error| match error.as_service_error() {
        Some(service) if service.is_resource_not_found_exception() => StreamError::Gone,
        Some(service) if service.is_trimmed_data_access_exception() => StreamError::Trimmed,
        _ => StreamError::Call(error.into()),
    })?;
    Ok(answer.shard_iterator)
}

/// The next records of a shard, at most `count` of them.
pub(super) async fn records(
    client: &Client,
    iterator: &str,
    count: usize,
) -> Result<Page, StreamError> {
    let limit = i32::try_from(count).unwrap_or(i32::MAX);
    let page = client.get_records().shard_iterator(iterator).limit(limit).send().await;
    let page = page.map_err(|error| match error.as_service_error() {
        Some(service) if service.is_resource_not_found_exception() => StreamError::Gone,
        Some(service) if service.is_expired_iterator_exception() => StreamError::Expired,
        Some(service) if service.is_trimmed_data_access_exception() => StreamError::Trimmed,
        _ => StreamError::Call(error.into()),
    })?;
    Ok(Page { records: page.records.unwrap_or_default(), next: page.next_shard_iterator })
}
