//! A batch that was not delivered, read again from its stream.

use std::time::Duration;

use afterimage::version::SequenceNumber;
use afterimage_dynamodb::StreamEvent;
use afterimage_local::event_source_mapping::event_json;
use anyhow::Context as _;
use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodbstreams::types::{Record, ShardIteratorType};
use serde_json::value::to_raw_value;

use super::reading::{Reading, Remainder};
use super::undelivered::Batch;
use crate::connection::Connection;
use crate::failure::Failure;

/// The most records that one call reads.
const PAGE_SIZE: i32 = 1000;

/// A shard may be read five times a second, and a function reads it too
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
const PAUSE: Duration = Duration::from_millis(400);

/// Reads a batch from its stream, a page at a time.
#[derive(Debug)]
pub struct StreamRange<'a> {
    connection: &'a Connection,
    client: Client,
    batch: &'a Batch,
    /// The stream, as the place where it is names it.
    stream_arn: String,
    place: Place,
    reading: Reading,
}

/// Where the next page begins.
#[derive(Debug)]
enum Place {
    /// At the first record of the batch.
    First,
    /// Behind the record that was read last.
    Behind(String),
    /// At the oldest record that is left.
    Oldest,
    /// Where the service says.
    Iterator(String),
}

impl<'a> StreamRange<'a> {
    /// Finds the batch's stream.
    pub async fn open(connection: &'a Connection, batch: &'a Batch) -> anyhow::Result<Self> {
        let client = connection.streams();
        let stream_arn = find(connection, &client, batch).await?;
        let reading = Reading::new(batch.first.clone(), batch.last.clone(), batch.record_count);
        Ok(Self { connection, client, batch, stream_arn, place: Place::First, reading })
    }

    /// The next records, as Lambda would deliver them; `None` behind the last.
    pub async fn next(&mut self) -> anyhow::Result<Option<StreamEvent>> {
        while !self.reading.is_over() {
            let Some(iterator) = self.iterator().await? else { continue };
            let records = self.page(iterator).await?;
            if !records.is_empty() {
                let json = |record| to_raw_value(&event_json(record, &self.batch.source));
                let records = records.iter().map(json).collect::<Result<_, _>>()?;
                return Ok(Some(StreamEvent { records }));
            }
            if !self.reading.is_over() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(None)
    }

    /// What is to be said where the stream did not hold the whole batch any more.
    pub fn missing(&self, name: &str) -> Option<Failure> {
        let sentence = match self.reading.remainder() {
            Remainder::Whole => return None,
            Remainder::Nothing => format!(
                "the records of {name} are no longer in their stream, which keeps them for 24 hours"
            ),
            Remainder::Part => format!(
                "a part of the records of {name} is no longer in their stream, which keeps them for 24 hours; those that are left were replayed"
            ),
        };
        let next = "`afterimage verify` names what has drifted for it: the next change of a source item that it names mends it";
        Some(Failure::new(sentence, next))
    }

    /// The iterator of the next page; `None` where there is none now, and the place has changed.
    async fn iterator(&mut self) -> anyhow::Result<Option<String>> {
        let (kind, number) = match &self.place {
            Place::Iterator(iterator) => return Ok(Some(iterator.clone())),
            Place::First => (ShardIteratorType::AtSequenceNumber, Some(&self.batch.first_text)),
            Place::Behind(number) => (ShardIteratorType::AfterSequenceNumber, Some(number)),
            Place::Oldest => (ShardIteratorType::TrimHorizon, None),
        };
        let request = self.client.get_shard_iterator().stream_arn(&self.stream_arn);
        let request = request.shard_id(&self.batch.shard_id).shard_iterator_type(kind);
        let answer = match request.set_sequence_number(number.cloned()).send().await {
            Ok(answer) => answer,
            Err(error) => match error.code() {
                Some("TrimmedDataAccessException") => {
                    self.place = Place::Oldest;
                    self.reading.pass_fruitless();
                    return Ok(None);
                }
                // The stream is there: its shard went with the last of its records.
                Some("ResourceNotFoundException") => {
                    self.reading.end();
                    return Ok(None);
                }
                _ => return Err(self.connection.explain(error)),
            },
        };
        if answer.shard_iterator.is_none() {
            self.reading.end();
        }
        Ok(answer.shard_iterator)
    }

    /// The records of a page that are of the batch.
    async fn page(&mut self, iterator: String) -> anyhow::Result<Vec<Record>> {
        let request = self.client.get_records().shard_iterator(iterator).limit(PAGE_SIZE);
        let page = match request.send().await {
            Ok(page) => page,
            Err(error) => {
                match error.code() {
                    Some("TrimmedDataAccessException") => self.place = Place::Oldest,
                    // It is good for 15 minutes, which a slow page may take.
                    Some("ExpiredIteratorException") => {
                        let last = self.reading.last_read().map(str::to_owned);
                        self.place = last.map_or(Place::First, Place::Behind);
                    }
                    Some("ResourceNotFoundException") => self.reading.end(),
                    _ => return Err(self.connection.explain(error)),
                }
                self.reading.pass_fruitless();
                return Ok(Vec::new());
            }
        };
        let mut taken = Vec::new();
        let records = page.records.context("an answer of GetRecords has no `Records`")?;
        for record in records {
            let number = record.dynamodb().and_then(|it| it.sequence_number());
            let number = number.context("a record of the stream has no sequence number")?;
            let parsed: SequenceNumber =
                number.parse().with_context(|| format!("the sequence number {number}"))?;
            if self.reading.take(number, &parsed) {
                taken.push(record);
            }
        }
        if taken.is_empty() {
            self.reading.pass_fruitless();
        }
        match page.next_shard_iterator {
            Some(next) => self.place = Place::Iterator(next),
            None => self.reading.end(),
        }
        Ok(taken)
    }
}

/// The ARN of the batch's stream, as the place where it is names it: the emulator has another form.
async fn find(connection: &Connection, client: &Client, batch: &Batch) -> anyhow::Result<String> {
    let table_name = &batch.source.table_name;
    let mut after = None;
    loop {
        let request = client.list_streams().table_name(table_name);
        let page = request.set_exclusive_start_stream_arn(after).send().await;
        let page = page.map_err(|error| connection.explain(error))?;
        let mut arns = page.streams().iter().filter_map(|it| it.stream_arn());
        if let Some(arn) = arns.find(|arn| batch.source.is_of_stream(arn)) {
            return Ok(arn.to_owned());
        }
        after = page.last_evaluated_stream_arn;
        if after.is_none() {
            break;
        }
    }
    let next = match connection.is_aws() {
        true => {
            "use the account and the Region that the ARN names, by AWS_PROFILE and AWS_REGION; a stream that was disabled goes after 24 hours"
        }
        false => {
            "name the stack that gave the batch up with --endpoint, or AWS with --aws; a table that was created anew has another stream"
        }
    };
    let place = connection.place();
    let sentence = format!("there is no stream {} at {place}", batch.source.arn);
    Err(Failure::new(sentence, next).into())
}
