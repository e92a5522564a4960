//! DynamoDB clients, with the time-outs that a batch can afford.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use afterimage_schema::{Table, TableNames};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider, SharedHttpClient};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use aws_smithy_http_client::{Builder, tls};

use crate::processor::{Processor, ProcessorError};
use crate::store::{StoreError, service_error};
use crate::views_file::ViewsFile;

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
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint_url)
        .region(Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPT_COUNT))
        .timeout_config(timeouts());
    config.set_http_client(http_client_at_endpoint(endpoint_url));
    Client::new(&config.build())
}

/// The HTTP client for an endpoint on this machine, which asks no proxy: another machine's `127.0.0.1` is not
/// this one's. `None` for every other endpoint: the SDK's own client heeds the proxy variables.
#[must_use]
pub fn http_client_at_endpoint(endpoint_url: &str) -> Option<SharedHttpClient> {
    let url: http::Uri = endpoint_url.parse().ok()?;
    let is_https = url.scheme_str() == Some("https");
    let provider = tls::Provider::Rustls(tls::rustls_provider::CryptoMode::AwsLc);
    is_loopback(url.host()?).then(|| match is_https {
        true => Builder::new().tls_provider(provider).build_https(),
        false => Builder::new().build_http(),
    })
}

fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    address.is_ok_and(|it: IpAddr| it.is_loopback()) || host.eq_ignore_ascii_case("localhost")
}

impl Processor {
    /// The processor of a Lambda function, as the process environment describes it: `AFTERIMAGE_VIEWS`
    /// if it is set, the tables' names, and the AWS SDK's own variables.
    ///
    /// # Errors
    /// [`ProcessorError`] if the views do not hold together, or a name is missing or invalid.
    pub async fn of_function() -> Result<Self, ProcessorError> {
        let views = ViewsFile::of_function().read()?;
        let names = TableNames::of_function(&views.all_tables())?;
        Ok(Self::new(client_from_environment().await, views, names)?)
    }

    /// The first read, which opens the connection before a batch waits for it: of an item that is not
    /// there, in the table that every batch reads.
    ///
    /// # Errors
    /// [`StoreError`] where DynamoDB refused, or did not answer.
    pub async fn first_read(&self) -> Result<(), StoreError> {
        let nothing = AttributeValue::S("warm-up".to_owned());
        let keys = KeysAndAttributes::builder()
            .keys(HashMap::from([("pk".to_owned(), nothing.clone()), ("sk".to_owned(), nothing)]))
            .build()?;
        let table_name = self.catalog.name(&Table::DERIVED)?;
        let read = self.store.client.batch_get_item().request_items(table_name, keys).send();
        read.await.map_err(|error| service_error("first BatchGetItem", error))?;
        Ok(())
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_TIMEOUT)
        .operation_attempt_timeout(ATTEMPT_TIMEOUT)
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_reached_without_a_proxy() {
        let is_direct = |url| http_client_at_endpoint(url).is_some();
        for url in [
            "http://127.0.0.1:8000",
            "https://127.8.7.6/",
            "http://[::1]:8000",
            "http://localhost:8000",
            "https://LocalHost",
        ] {
            assert!(is_direct(url), "{url}");
        }
        for url in [
            "https://dynamodb.us-east-1.amazonaws.com",
            "http://10.0.0.1:8000",
            "http://localhost.example:8000",
            "http://127.0.0.1.example",
            "no URL",
        ] {
            assert!(!is_direct(url), "{url}");
        }
    }
}
