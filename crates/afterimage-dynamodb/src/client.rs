//! DynamoDB clients, with the time-outs that a batch can afford.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

/// Attempts of one request. Within them the SDK repeats a transaction under the same token, so that
/// a lost response is told apart from a second commit.
const ATTEMPT_COUNT: u32 = 3;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// A transaction of 100 items takes well under a second; a request that takes this long is lost.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(3);

/// A client for the account and Region of the environment.
pub async fn client_from_environment() -> Client {
    let config = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPT_COUNT))
        .timeout_config(timeouts())
        .load()
        .await;
    Client::new(&config)
}

/// A client for an endpoint of one's own, such as the local stack: any credentials will do.
#[must_use]
pub fn client_at_endpoint(endpoint_url: &str) -> Client {
    let credentials = Credentials::new("local", "local", None, None, "local");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPT_COUNT))
        .timeout_config(timeouts())
        .build();
    Client::new(&config)
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}
