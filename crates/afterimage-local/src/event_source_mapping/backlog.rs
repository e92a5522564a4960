//! What is not done yet: asked of the streams, at the moment of the question.

use aws_sdk_dynamodbstreams::Client;

use super::checkpoint::{Checkpoint, CheckpointStore, ShardKey};
use super::settings::TableMapping;
use super::stream::{self, StreamError};

/// What stands behind the checkpoints of all mappings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Backlog {
    /// How many records are not done.
    pub pending: u64,
    /// The checkpoints that this was counted from, in the order of the mappings.
    pub(crate) checkpoints: Vec<Option<Checkpoint>>,
}

/// Counts the records behind the checkpoints.
///
/// # Errors
/// [`StreamError`] where a stream cannot be read.
pub async fn backlog(
    client: &Client,
    mappings: &[TableMapping],
    checkpoints: &CheckpointStore,
) -> Result<Backlog, StreamError> {
    let mut backlog = Backlog::default();
    for mapping in mappings {
        let Some(stream_arn) = stream::find(client, &mapping.table_name).await? else {
            continue;
        };
        for shard in stream::shards(client, &stream_arn).await? {
            let shard = ShardKey { stream_arn: stream_arn.clone(), shard_id: shard.id };
            let checkpoint = checkpoints.get(&shard);
            backlog.pending += count_behind(client, &shard, checkpoint.as_ref()).await?;
            backlog.checkpoints.push(checkpoint);
        }
    }
    Ok(backlog)
}

async fn count_behind(
    client: &Client,
    shard: &ShardKey,
    checkpoint: Option<&Checkpoint>,
) -> Result<u64, StreamError> {
    if checkpoint.is_some_and(|checkpoint| checkpoint.closed) {
        return Ok(0);
    }
    let after = checkpoint.map(|checkpoint| &checkpoint.sequence_number);
    let ShardKey { stream_arn, shard_id } = shard;
    let mut iterator = stream::iterator(client, stream_arn, shard_id, after).await?;
    let mut count = 0;
    while let Some(place) = iterator {
        let page = stream::page(client, &place).await?;
        if page.records.is_empty() {
            break;
        }
        count += page.records.len() as u64;
        iterator = page.next;
    }
    Ok(count)
}
