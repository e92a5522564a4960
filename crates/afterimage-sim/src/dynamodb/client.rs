//! SDK clients that talk to the emulator in the process.

use afterimage_dynamodb::TIMEOUTS;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::{RetryPartition, TokenBucket};
use dynamodb_client::client_at_endpoint;

use super::Dynamodb;
use super::connector::InProcessClient;

/// What the SDK has in the bucket that retries are paid from.
const RETRY_TOKENS: usize = 500;

/// A client as the processor has it in production (attempts, time-outs, tokens), but without a
/// socket. `name` is what a story calls it. Its tokens come from the thread's own generator, which a
/// run seeds.
#[must_use]
pub fn client(dynamodb: &Dynamodb, name: &str) -> Client {
    // A bucket of its own keeps schedules apart: the SDK's is shared by the whole process.
    let retries = RetryPartition::custom(name.to_owned())
        .token_bucket(TokenBucket::new(RETRY_TOKENS))
        .build();
    let config = client_at_endpoint("http://dynamodb.invalid", TIMEOUTS)
        .config()
        .to_builder()
        .http_client(InProcessClient::new(dynamodb.clone(), name))
        .retry_partition(retries)
        .build();
    Client::from_conf(config)
}
