//! Clients of DynamoDB. None waits for an answer without end.

#![expect(clippy::disallowed_methods, reason = "this is where clients are made, with time-outs")]

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};

use crate::{http_client_at_endpoint, https_client};

/// Attempts of one operation. Within them the SDK repeats a transaction under the same token, so that
/// a lost response is told apart from a second commit.
pub const ATTEMPT_COUNT: u32 = 3;

/// How long DynamoDB may take. The SDK limits nothing but the connection by itself
/// (<https://docs.aws.amazon.com/sdk-for-rust/latest/dg/timeouts.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// For a connection, TLS included.
    pub connect: Duration,
    /// For one attempt: what takes longer is lost, and is sent again.
    pub attempt: Duration,
    /// For an operation: its attempts, and the SDK's own waits between them. Between three attempts these are
    /// at most 1 and 2 seconds (<https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>).
    pub operation: Duration,
}

/// A client for the account and Region of the environment.
pub async fn client_from_environment(timeouts: Timeouts) -> Client {
    let settings = loader(timeouts).retry_config(retries()).load().await;
    Client::new(&settings)
}

/// A client for an endpoint of one's own, such as the local stack: any credentials will do.
#[must_use]
pub fn client_at_endpoint(endpoint_url: &str, timeouts: Timeouts) -> Client {
    Client::new(&settings_at_endpoint(endpoint_url, timeouts))
}

/// The settings of the process environment (account, Region, credentials, attempts), over [`https_client`].
/// Every client for AWS starts here: the SDK is built without an HTTP client of its own.
pub async fn settings_from_environment(timeouts: Timeouts) -> SdkConfig {
    loader(timeouts).load().await
}

/// The settings for an endpoint of one's own. Nothing is read from the environment.
#[must_use]
pub fn settings_at_endpoint(endpoint_url: &str, timeouts: Timeouts) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::from_static("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries())
        .timeout_config(timeouts.to_sdk())
        .http_client(http_client_at_endpoint(endpoint_url))
        .build()
}

fn loader(timeouts: Timeouts) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .http_client(https_client())
        .timeout_config(timeouts.to_sdk())
}

fn retries() -> RetryConfig {
    RetryConfig::standard().with_max_attempts(ATTEMPT_COUNT)
}

impl Timeouts {
    fn to_sdk(self) -> TimeoutConfig {
        TimeoutConfig::builder()
            .connect_timeout(self.connect)
            .operation_attempt_timeout(self.attempt)
            .operation_timeout(self.operation)
            .build()
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use aws_sdk_dynamodb::error::SdkError;

    use super::*;
    use crate::{Meaning, meaning};

    const SHORT: Duration = Duration::from_millis(20);
    const LONG: Duration = Duration::from_secs(300);

    /// How a request ends whose server accepts connections and never answers.
    async fn check(timeouts: Timeouts) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let client = client_at_endpoint(&url, timeouts);
        let error = client.list_tables().send().await.expect_err("nobody answers");
        assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
        assert_eq!(meaning(&error), Meaning::Unknown);
    }

    #[tokio::test]
    async fn a_server_that_never_answers_fails_by_the_attempts() {
        check(Timeouts { connect: LONG, attempt: SHORT, operation: LONG }).await;
    }

    #[tokio::test]
    async fn a_server_that_never_answers_fails_by_the_operation() {
        check(Timeouts { connect: LONG, attempt: LONG, operation: SHORT }).await;
    }
}
