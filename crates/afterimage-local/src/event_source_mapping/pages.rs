//! The pages of a shard, none larger than those of AWS.
//!
//! The emulator bounds what a call of `GetRecords` returns by the number of records alone, so that 1,000 of 400 KB each
//! would be in memory several times at once. So a page is put together from calls that ask for few.

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::{Record as RawRecord, StreamRecord};

use super::checkpoint::ShardKey;
use super::record::SequenceNumber;
use super::stream::{self, Page, StreamError};

/// The most records that a call of `GetRecords` returns, and so a page
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_GetRecords.html>).
const PAGE_RECORDS_MAX: usize = 1000;
/// The most bytes that a call of `GetRecords` returns, by the same source: 1 MB. One record may be larger.
const PAGE_BYTES_MAX: u64 = 1024 * 1024;
/// The most records that one call asks for: with items of 400 KB, what it returns is a few megabytes.
const CALL_RECORDS_MAX: usize = 16;
/// How large the first record is taken to be: as the largest item
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
const ITEM_BYTES_MAX: u64 = 400 * 1024;

/// Reads the pages of a shard.
#[derive(Debug)]
pub(super) struct PageReader {
    client: Client,
    shard: ShardKey,
    /// How large the next records are taken to be: as the largest of the last call.
    expected_bytes: u64,
}

impl PageReader {
    /// Of this shard.
    pub(super) fn of(client: Client, shard: ShardKey) -> Self {
        Self { client, shard, expected_bytes: ITEM_BYTES_MAX }
    }

    /// The page behind an iterator: at most 1,000 records and 1 MB, or one larger record. It ends early at the end of
    /// what there is now.
    ///
    /// # Errors
    /// [`StreamError`]; then nothing of the page is read.
    pub(super) async fn page(&mut self, iterator: String) -> Result<Page, StreamError> {
        let mut records: Vec<RawRecord> = Vec::new();
        let (mut place, mut room_bytes) = (iterator, PAGE_BYTES_MAX);
        while let Some(count) = count_to_ask(records.len(), room_bytes, self.expected_bytes) {
            let call = match stream::records(&self.client, &place, count).await {
                Ok(call) => call,
                // The next page meets the error again.
                Err(_) if !records.is_empty() => break,
                Err(error) => return Err(error),
            };
            let sizes: Vec<u64> = call.records.iter().map(size_bytes).collect();
            self.expected_bytes = sizes.iter().copied().max().unwrap_or(self.expected_bytes);
            let fitting = fitting_count(&sizes, room_bytes, records.is_empty());
            room_bytes = room_bytes.saturating_sub(sizes.iter().take(fitting).sum());
            records.extend(call.records.into_iter().take(fitting));
            if fitting < sizes.len() {
                let next = self.behind(records.last()).await?;
                return Ok(Page { records, next });
            }
            let Some(next) = call.next else { return Ok(Page { records, next: None }) };
            place = next;
            if sizes.len() < count {
                break;
            }
        }
        Ok(Page { records, next: Some(place) })
    }

    async fn behind(&self, last: Option<&RawRecord>) -> Result<Option<String>, StreamError> {
        let last = last.and_then(|it| it.dynamodb()).and_then(|it| it.sequence_number());
        let last = last.map(SequenceNumber::new);
        let ShardKey { stream_arn, shard_id } = &self.shard;
        stream::iterator(&self.client, stream_arn, shard_id, last.as_ref()).await
    }
}

/// How many records the next call asks for; `None` if the page is full.
fn count_to_ask(page_count: usize, room_bytes: u64, expected_bytes: u64) -> Option<usize> {
    let by_bytes = usize::try_from(room_bytes / expected_bytes.max(1)).unwrap_or(usize::MAX);
    let by_bytes = if page_count == 0 { by_bytes.max(1) } else { by_bytes };
    let count = by_bytes.min(PAGE_RECORDS_MAX.saturating_sub(page_count)).min(CALL_RECORDS_MAX);
    (count > 0).then_some(count)
}

/// How many of the records still fit; the first of a page always does.
fn fitting_count(sizes: &[u64], room_bytes: u64, is_first: bool) -> usize {
    let mut sum_bytes: u64 = 0;
    let fits = |size: &&u64| {
        sum_bytes = sum_bytes.saturating_add(**size);
        sum_bytes <= room_bytes
    };
    let count = sizes.iter().take_while(fits).count();
    if is_first { count.max(1).min(sizes.len()) } else { count }
}

/// The size that the stream tells. Without one, a record counts as a whole page.
fn size_bytes(record: &RawRecord) -> u64 {
    let told = record.dynamodb().and_then(StreamRecord::size_bytes);
    told.and_then(|it| u64::try_from(it).ok()).unwrap_or(PAGE_BYTES_MAX)
}

#[cfg(test)]
mod tests;
