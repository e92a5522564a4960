//! The trigger: for every mapping, the shards of its table's stream, parents before their children.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodbstreams::Client;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Clock;
use super::checkpoint::{CheckpointStore, ShardKey};
use super::counters::Counters;
use super::delivery::Delivery;
use super::function::Function;
use super::on_failure::OnFailure;
use super::settings::{MappingSettings, TableMapping};
use super::shard::{Ended, ShardReader};
use super::source::event_source;
use super::stream::{self, Shard, StreamError};

/// How long a mapping waits for a stream that is not there, or that it cannot read.
const LOOK_AGAIN_DELAY: Duration = Duration::from_millis(500);
/// How long stopping waits for the batches in hand.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(20);

/// What a trigger works with.
#[derive(Debug)]
pub struct TriggerParts<F> {
    /// The mappings.
    pub mappings: Vec<TableMapping>,
    /// Where the streams are read.
    pub client: Client,
    /// The function that every mapping calls.
    pub function: Arc<F>,
    /// How far the shards are done.
    pub checkpoints: Arc<CheckpointStore>,
    /// Where records go that are given up.
    pub on_failure: Arc<OnFailure>,
    /// The time.
    pub clock: Clock,
}

/// The running mappings. Dropping it stops them at once; [`Trigger::shutdown`] lets each finish the
/// batch in hand.
#[derive(Debug)]
pub struct Trigger {
    stop: watch::Sender<bool>,
    mappings: JoinSet<()>,
    counters: Arc<Counters>,
}

impl Trigger {
    /// Starts every mapping. A stream that is not there yet is waited for.
    #[must_use]
    pub fn start<F: Function>(parts: TriggerParts<F>) -> Self {
        let (stop, stopped) = watch::channel(false);
        let counters = Arc::new(Counters::default());
        let mut mappings = JoinSet::new();
        for TableMapping { settings, table_name } in parts.mappings {
            let mapping = Mapping {
                table_name,
                settings,
                client: parts.client.clone(),
                function: Arc::clone(&parts.function),
                checkpoints: Arc::clone(&parts.checkpoints),
                on_failure: Arc::clone(&parts.on_failure),
                counters: Arc::clone(&counters),
                clock: parts.clock,
                stop: stopped.clone(),
            };
            mappings.spawn(mapping.run());
        }
        Self { stop, mappings, counters }
    }

    /// What the mappings have done and have in hand.
    #[must_use]
    pub fn counters(&self) -> Arc<Counters> {
        Arc::clone(&self.counters)
    }

    /// Finishes the batches in hand, for at most 20 seconds, and stops. What is not done comes again
    /// at the next start.
    pub async fn shutdown(mut self) {
        // Nobody listens where every mapping has ended.
        self.stop.send(true).ok();
        let all = async { while self.mappings.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN_TIMEOUT, all).await.is_err() {
            tracing::warn!("stopped with a batch in hand: it comes again at the next start");
        }
        let record_count = self.counters.processed();
        tracing::debug!(record_count, "trigger stopped");
    }
}

struct Mapping<F> {
    settings: Arc<MappingSettings>,
    table_name: String,
    client: Client,
    function: Arc<F>,
    checkpoints: Arc<CheckpointStore>,
    on_failure: Arc<OnFailure>,
    counters: Arc<Counters>,
    clock: Clock,
    stop: watch::Receiver<bool>,
}

impl<F: Function> Mapping<F> {
    /// Reads the table's stream, and the one that replaces it, until it is to stop.
    async fn run(mut self) {
        while !*self.stop.borrow() {
            match self.read_stream().await {
                Ok(Ended::Stopped) => return,
                Ok(Ended::Closed | Ended::Gone) => {}
                Err(error) => {
                    let cause = std::error::Error::source(&error).map(ToString::to_string);
                    tracing::warn!(mapping = self.settings.name, %error, cause, "stream not read");
                }
            }
            // Either way the loop looks at `stop`.
            tokio::time::timeout(LOOK_AGAIN_DELAY, self.stop.wait_for(|stop| *stop)).await.ok();
        }
    }

    async fn read_stream(&self) -> Result<Ended, StreamError> {
        let Some(stream_arn) = stream::find(&self.client, &self.table_name).await? else {
            return Ok(Ended::Gone);
        };
        let mut readers = JoinSet::new();
        let (mut started, mut closed) = (HashSet::new(), HashSet::new());
        loop {
            let shards = stream::shards(&self.client, &stream_arn).await?;
            for shard in ready_shards(&shards, &closed) {
                let key = ShardKey { stream_arn: stream_arn.clone(), shard_id: shard.id.clone() };
                if !started.insert(shard.id.clone()) {
                    continue;
                }
                if self.checkpoints.get(&key).is_some_and(|checkpoint| checkpoint.closed) {
                    closed.insert(shard.id.clone());
                    continue;
                }
                let (reader, id) = (self.reader(key), shard.id.clone());
                readers.spawn(async move { (id, reader.run().await) });
            }
            match readers.join_next().await {
                None if ready_shards(&shards, &closed)
                    .iter()
                    .any(|it| !started.contains(&it.id)) => {}
                None => return Ok(Ended::Closed),
                Some(Ok((id, Ok(Ended::Closed)))) => {
                    closed.insert(id);
                }
                Some(Ok((_, Ok(ended @ (Ended::Stopped | Ended::Gone))))) => {
                    while readers.join_next().await.is_some() {}
                    return Ok(ended);
                }
                Some(Ok((_, Err(error)))) => return Err(error),
                Some(Err(error)) => return Err(StreamError::Call(error.into())),
            }
        }
    }

    fn reader(&self, shard: ShardKey) -> ShardReader<F> {
        let source = event_source(&self.table_name, &shard.stream_arn);
        let (stop_lanes, lanes_stopped) = watch::channel(false);
        let delivery = Delivery {
            settings: Arc::clone(&self.settings),
            function: Arc::clone(&self.function),
            on_failure: Arc::clone(&self.on_failure),
            counters: Arc::clone(&self.counters),
            stream_arn: source.arn.clone(),
            shard_id: shard.shard_id.clone(),
            clock: self.clock,
            stop: lanes_stopped,
        };
        ShardReader {
            client: self.client.clone(),
            table_name: self.table_name.clone(),
            shard,
            source,
            settings: Arc::clone(&self.settings),
            checkpoints: Arc::clone(&self.checkpoints),
            delivery: Arc::new(delivery),
            stop_lanes,
            stop: self.stop.clone(),
        }
    }
}

/// The shards that may be read: those whose parent is done, or is not there (any more).
fn ready_shards<'a>(shards: &'a [Shard], closed: &HashSet<String>) -> Vec<&'a Shard> {
    let waits_for =
        |parent: &String| shards.iter().any(|it| it.id == *parent) && !closed.contains(parent);
    shards.iter().filter(|shard| !shard.parent_id.as_ref().is_some_and(waits_for)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_child_waits_for_its_parent() {
        let shard = |id: &str, parent: Option<&str>| Shard {
            id: id.to_owned(),
            parent_id: parent.map(str::to_owned),
        };
        let shards = [shard("b", Some("a")), shard("a", Some("trimmed")), shard("c", Some("b"))];
        let ids = |closed: &[&str]| {
            let closed = closed.iter().map(|id| (*id).to_owned()).collect();
            ready_shards(&shards, &closed).iter().map(|it| it.id.clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(&[]), ["a"]);
        assert_eq!(ids(&["a"]), ["b", "a"]);
        assert_eq!(ids(&["a", "b"]), ["b", "a", "c"]);
    }
}
