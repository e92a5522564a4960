//! What is not done yet: asked of the streams, at the moment of the question.

use aws_sdk_dynamodbstreams::Client;
use embedded_dynamodb::StreamCounter;

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

/// Counts the records behind the checkpoints, and reads none of them.
///
/// # Errors
/// [`StreamError`] if a stream cannot be found or counted.
pub async fn backlog(
    client: &Client,
    counter: &StreamCounter,
    mappings: &[TableMapping],
    checkpoints: &CheckpointStore,
) -> Result<Backlog, StreamError> {
    let mut backlog = Backlog::default();
    for TableMapping { table_name, .. } in mappings {
        let Some(stream_arn) = stream::find(client, table_name).await? else {
            continue;
        };
        for shard in stream::shards(client, &stream_arn).await? {
            let shard = ShardKey { stream_arn: stream_arn.clone(), shard_id: shard.id };
            let checkpoint = checkpoints.get(&shard);
            if !checkpoint.as_ref().is_some_and(|checkpoint| checkpoint.closed) {
                let after = checkpoint.as_ref().map(|it| it.sequence_number.as_str());
                // A table has one shard.
                backlog.pending += counter.count(table_name, after).await?;
            }
            backlog.checkpoints.push(checkpoint);
        }
    }
    Ok(backlog)
}
