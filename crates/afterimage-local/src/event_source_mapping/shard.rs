//! Reads one shard and delivers its records, in lanes.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::acknowledgement::Acknowledgements;
use super::batch;
use super::checkpoint::{Checkpoint, CheckpointStore, ShardKey};
use super::counters::Counters;
use super::delivery::Delivery;
use super::filter::Filters;
use super::function::Function;
use super::lane::lane_of;
use super::pages::PageReader;
use super::record::{IncompleteRecord, Record, SequenceNumber, event_json};
use super::settings::{MappingSettings, StartingPosition};
use super::source::EventSource;
use super::stream::{self, CurrentStream, Page, StreamError};

/// How often an idle shard is asked: a write shows soon, and asking costs little here.
const IDLE_POLL: Duration = Duration::from_millis(50);
/// How often a reader makes sure that its stream is still the table's, whatever else it waits for.
const CHECK_INTERVAL: Duration = Duration::from_secs(1);
/// The delays between polls that fail.
const FIRST_BACK_OFF: Duration = Duration::from_millis(100);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(5);
/// How many pages may wait for a lane that is busy.
const WAITING_PAGES: usize = 2;

/// Why reading a shard ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// It is closed, and every record is done.
    Closed,
    /// It was told to stop.
    Stopped,
    /// The stream is gone, or is not the table's any more: nothing of it is owed.
    Gone,
}

/// How far the shard is, shared by its lanes.
#[derive(Debug)]
struct Progress {
    shard: ShardKey,
    acknowledgements: Mutex<Acknowledgements>,
    checkpoints: Arc<CheckpointStore>,
    counters: Arc<Counters>,
}

impl Progress {
    fn read(&self, sequence_numbers: Vec<SequenceNumber>) {
        let mut all = self.acknowledgements.lock().unwrap_or_else(PoisonError::into_inner);
        let before = all.len();
        for sequence_number in sequence_numbers {
            all.read(sequence_number);
        }
        self.counters.take_in_hand(all.len() - before);
    }

    /// Notes that records are done, and moves the checkpoint. The lock is held meanwhile, so that
    /// checkpoints are written in their order; the file is small.
    fn done<'a>(&self, sequence_numbers: impl IntoIterator<Item = &'a SequenceNumber>) {
        let mut all = self.acknowledgements.lock().unwrap_or_else(PoisonError::into_inner);
        for sequence_number in sequence_numbers {
            all.done(sequence_number);
        }
        let before = all.len();
        if let Some(sequence_number) = all.advance() {
            self.put(Checkpoint { sequence_number, closed: false });
        }
        self.counters.let_go(before - all.len());
    }

    fn is_all_done(&self) -> bool {
        self.acknowledgements.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    fn put(&self, checkpoint: Checkpoint) {
        // Not fatal: a restart would repeat records.
        if let Err(error) = self.checkpoints.put(&self.shard, checkpoint) {
            tracing::error!(%error, "checkpoint not kept");
        }
    }
}

impl Drop for Progress {
    /// What is not done when a reader ends is in nobody's hand: it comes again, or is not owed.
    fn drop(&mut self) {
        let all = self.acknowledgements.get_mut().unwrap_or_else(PoisonError::into_inner);
        self.counters.let_go(all.len());
    }
}

/// Reads one shard.
#[derive(Debug)]
pub(super) struct ShardReader<F> {
    pub client: Client,
    pub table_name: String,
    pub shard: ShardKey,
    pub source: EventSource,
    pub settings: Arc<MappingSettings>,
    pub checkpoints: Arc<CheckpointStore>,
    pub delivery: Arc<Delivery<F>>,
    /// Stops the lanes and their delivery.
    pub stop_lanes: watch::Sender<bool>,
    pub stop: watch::Receiver<bool>,
}

impl<F: Function> ShardReader<F> {
    /// Reads the shard from its checkpoint until it ends. Lanes have finished the batch in hand when
    /// it returns.
    ///
    /// # Errors
    /// [`StreamError`] where its beginning cannot be found, and [`StreamError::Lane`] where a lane
    /// panicked; other errors are retried.
    pub(super) async fn run(self) -> Result<Ended, StreamError> {
        let progress = Arc::new(Progress {
            shard: self.shard.clone(),
            acknowledgements: Mutex::default(),
            checkpoints: Arc::clone(&self.checkpoints),
            counters: Arc::clone(&self.delivery.counters),
        });
        let mut newest = self.begin(&progress).await?;
        let current = self.current();
        let (mut lanes, mut senders) = (JoinSet::new(), Vec::new());
        for _ in 0..self.settings.parallelization_factor {
            let (sender, receiver) = mpsc::channel(WAITING_PAGES);
            senders.push(sender);
            let lane = Lane {
                delivery: Arc::clone(&self.delivery),
                progress: Arc::clone(&progress),
                current: current.clone(),
                stop: self.stop_lanes.subscribe(),
            };
            lanes.spawn(lane.run(receiver));
        }
        let ended = tokio::select! {
            ended = self.read(&mut newest, &progress, &senders) => ended,
            ended = self.interrupted(&current) => ended,
            // Before its sender is gone, a lane ends only where its batch is not current, or it
            // panicked.
            Some(lane) = lanes.join_next() => {
                lane.map_err(StreamError::Lane)?;
                Ended::Gone
            }
        };
        drop(senders);
        let ended = self.finish(ended, &current, &mut lanes).await?;
        Ok(conclude(ended, newest, &progress))
    }

    /// Waits for the lanes: for all that was read where the shard is closed, else for the invocations
    /// in hand only.
    async fn finish(
        &self,
        ended: Ended,
        current: &CurrentStream,
        lanes: &mut JoinSet<()>,
    ) -> Result<Ended, StreamError> {
        let all_done = async {
            while let Some(lane) = lanes.join_next().await {
                lane.map_err(StreamError::Lane)?;
            }
            Ok(())
        };
        tokio::pin!(all_done);
        let ended = match ended {
            Ended::Closed => tokio::select! {
                done = &mut all_done => return done.map(|()| Ended::Closed),
                ended = self.interrupted(current) => ended,
            },
            Ended::Stopped | Ended::Gone => ended,
        };
        // Never fails to reach the lanes: they listen as long as they run.
        self.stop_lanes.send_replace(true);
        all_done.await.map(|()| ended)
    }

    /// Returns when the mapping is to stop, or when the table has another stream, or none. Lanes that
    /// are full, because their function fails, keep neither from being seen.
    async fn interrupted(&self, current: &CurrentStream) -> Ended {
        let mut stop = self.stop.clone();
        let replaced = async {
            while current.is_current().await {
                tokio::time::sleep(CHECK_INTERVAL).await;
            }
        };
        tokio::select! {
            () = replaced => Ended::Gone,
            _ = stop.wait_for(|stop| *stop) => Ended::Stopped,
        }
    }

    fn pages(&self) -> PageReader {
        PageReader::of(self.client.clone(), self.shard.clone())
    }

    fn current(&self) -> CurrentStream {
        CurrentStream {
            client: self.client.clone(),
            table_name: self.table_name.clone(),
            stream_arn: self.shard.stream_arn.clone(),
        }
    }

    /// The newest record that is done before reading begins.
    async fn begin(&self, progress: &Progress) -> Result<Option<SequenceNumber>, StreamError> {
        let checkpoint = self.checkpoints.get(&self.shard).map(|it| it.sequence_number);
        if checkpoint.is_some() || self.settings.starting_position == StartingPosition::TrimHorizon
        {
            return Ok(checkpoint);
        }
        let ShardKey { stream_arn, shard_id } = &self.shard;
        let mut iterator = stream::iterator(&self.client, stream_arn, shard_id, None).await?;
        let (mut pages, mut newest) = (self.pages(), None);
        while let Some(place) = iterator {
            let page = pages.page(place).await?;
            let Some(last) = page.records.last() else {
                break;
            };
            newest = last.dynamodb().and_then(|it| it.sequence_number()).map(SequenceNumber::new);
            iterator = page.next;
        }
        if let Some(sequence_number) = newest.clone() {
            progress.put(Checkpoint { sequence_number, closed: false });
        }
        Ok(newest)
    }

    async fn read(
        &self,
        newest: &mut Option<SequenceNumber>,
        progress: &Progress,
        lanes: &[mpsc::Sender<Vec<Record>>],
    ) -> Ended {
        let (mut pages, mut iterator) = (self.pages(), None);
        let mut back_off = FIRST_BACK_OFF;
        loop {
            let page = match self.poll(&mut pages, &mut iterator, newest.as_ref()).await {
                Ok(page) => page,
                Err(StreamError::Gone) => return Ended::Gone,
                Err(StreamError::Expired) => continue,
                Err(StreamError::Trimmed) => {
                    tracing::error!(mapping = self.settings.name, "records were trimmed unread");
                    *newest = None;
                    tokio::time::sleep(back_off).await;
                    continue;
                }
                Err(
                    error @ (StreamError::Call(_)
                    | StreamError::Count(_)
                    | StreamError::Record(_)
                    | StreamError::Lane(_)),
                ) => {
                    self.warn(&error);
                    tokio::time::sleep(back_off).await;
                    back_off = (back_off * 2).min(LONGEST_BACK_OFF);
                    continue;
                }
            };
            back_off = FIRST_BACK_OFF;
            let Some(Page { records, next }) = page else {
                return Ended::Closed;
            };
            let is_idle = records.is_empty();
            match self.hand_out(&records, newest, progress, lanes).await {
                Ok(true) => {}
                Ok(false) => return Ended::Gone,
                Err(error) => {
                    // The next poll begins behind what was handed out: at the incomplete record.
                    self.warn(&error);
                    tokio::time::sleep(LONGEST_BACK_OFF).await;
                    continue;
                }
            }
            if next.is_none() {
                return Ended::Closed;
            }
            iterator = next;
            if is_idle {
                tokio::time::sleep(IDLE_POLL).await;
            }
        }
    }

    /// The next page; `None` where the shard is closed at its very beginning or behind a checkpoint.
    async fn poll(
        &self,
        pages: &mut PageReader,
        iterator: &mut Option<String>,
        newest: Option<&SequenceNumber>,
    ) -> Result<Option<Page>, StreamError> {
        let place = match iterator.take() {
            Some(place) => Some(place),
            None => {
                let ShardKey { stream_arn, shard_id } = &self.shard;
                stream::iterator(&self.client, stream_arn, shard_id, newest).await?
            }
        };
        match place {
            Some(place) => pages.page(place).await.map(Some),
            None => Ok(None),
        }
    }

    /// Gives the records to their lanes; false if a lane takes none any more.
    ///
    /// # Errors
    /// [`StreamError::Record`] for an incomplete record; those before it are handed out, it and those
    /// behind it are not.
    async fn hand_out(
        &self,
        raw_records: &[aws_sdk_dynamodbstreams::types::Record],
        newest: &mut Option<SequenceNumber>,
        progress: &Progress,
        lanes: &[mpsc::Sender<Vec<Record>>],
    ) -> Result<bool, StreamError> {
        let Shares { read, filtered, by_lane, incomplete } =
            share(raw_records, &self.source, &self.settings.filters, lanes.len());
        if let Some(last) = read.last() {
            *newest = Some(last.clone());
        }
        progress.read(read);
        progress.done(&filtered);
        for (lane, share) in lanes.iter().zip(by_lane) {
            if !share.is_empty() && lane.send(share).await.is_err() {
                return Ok(false);
            }
        }
        match incomplete {
            Some(error) => Err(StreamError::Record(error)),
            None => Ok(true),
        }
    }

    fn warn(&self, error: &StreamError) {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::warn!(mapping = self.settings.name, %error, cause, "poll failed");
    }
}

/// How reading really ended: a shard counts as closed only where everything that was read is done.
/// Lanes that end with less found that their stream is not current.
fn conclude(ended: Ended, newest: Option<SequenceNumber>, progress: &Progress) -> Ended {
    match ended {
        Ended::Closed if !progress.is_all_done() => Ended::Gone,
        Ended::Closed => {
            if let Some(sequence_number) = newest {
                progress.put(Checkpoint { sequence_number, closed: true });
            }
            Ended::Closed
        }
        Ended::Stopped | Ended::Gone => ended,
    }
}

/// What becomes of the records of a page.
#[derive(Debug, Default)]
struct Shares {
    /// All of them, up to the first that is incomplete.
    read: Vec<SequenceNumber>,
    /// Those that no filter accepts.
    filtered: Vec<SequenceNumber>,
    /// The others.
    by_lane: Vec<Vec<Record>>,
    incomplete: Option<IncompleteRecord>,
}

/// Shares the records of a page among the lanes.
fn share(
    raw_records: &[aws_sdk_dynamodbstreams::types::Record],
    source: &EventSource,
    filters: &Filters,
    lane_count: usize,
) -> Shares {
    let mut shares = Shares { by_lane: vec![Vec::new(); lane_count], ..Shares::default() };
    for raw in raw_records {
        let json = event_json(raw, source);
        let record = match Record::new(raw, &json) {
            Ok(record) => record,
            Err(error) => {
                shares.incomplete = Some(error);
                break;
            }
        };
        shares.read.push(record.sequence_number.clone());
        let lane = lane_of(&record.item_key, lane_count);
        match (filters.accept(&json), shares.by_lane.get_mut(lane)) {
            (true, Some(share)) => share.push(record),
            (false, _) | (_, None) => shares.filtered.push(record.sequence_number),
        }
    }
    shares
}

/// One of the lanes of a shard: one batch at a time.
struct Lane<F> {
    delivery: Arc<Delivery<F>>,
    progress: Arc<Progress>,
    current: CurrentStream,
    stop: watch::Receiver<bool>,
}

impl<F: Function> Lane<F> {
    async fn run(mut self, mut receiver: mpsc::Receiver<Vec<Record>>) {
        let mut waiting = VecDeque::new();
        let mut last_end: Option<Instant> = None;
        loop {
            self.gather(&mut receiver, &mut waiting, last_end).await;
            if waiting.is_empty() || *self.stop.borrow() {
                return;
            }
            let records = batch::take(&mut waiting, self.delivery.settings.batch_size);
            let done = |records: &[Record]| {
                self.progress.done(records.iter().map(|record| &record.sequence_number));
            };
            let is_current = || self.current.is_current();
            if !self.delivery.deliver(&records, is_current, done).await {
                return;
            }
            last_end = Some(Instant::now());
        }
    }

    /// Gathers records until a batch is full, or the window since the last invocation is over. So a
    /// record that comes alone is delivered at once, and a busy shard fills its batches.
    async fn gather(
        &mut self,
        receiver: &mut mpsc::Receiver<Vec<Record>>,
        waiting: &mut VecDeque<Record>,
        last_end: Option<Instant>,
    ) {
        let settings = &self.delivery.settings;
        if waiting.is_empty() {
            tokio::select! {
                page = receiver.recv() => waiting.extend(page.unwrap_or_default()),
                _ = self.stop.wait_for(|stop| *stop) => return,
            }
        }
        // Not beyond a full batch: what waits longer stays in the stream, not in memory.
        while !batch::is_full(waiting, settings.batch_size) {
            match receiver.try_recv() {
                Ok(page) => waiting.extend(page),
                Err(_) => break,
            }
        }
        let Some(last_end) = last_end else { return };
        let window_end = last_end + settings.batching_window;
        while !batch::is_full(waiting, settings.batch_size) {
            tokio::select! {
                page = receiver.recv() => match page {
                    Some(page) => waiting.extend(page),
                    None => return,
                },
                () = tokio::time::sleep_until(window_end) => return,
                _ = self.stop.wait_for(|stop| *stop) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests;
