//! DynamoDB clients, with the time-outs that a batch can afford.

use std::collections::HashMap;
use std::time::Duration;

use afterimage::registry::OwnViews;
use afterimage_schema::{Table, TableNames, table_name_of_function, table_names_of_environment};
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{Credentials, SharedCredentialsProvider};
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes};
use dynamodb_client::{http_client_at_endpoint, settings_from_environment};

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
    let config = settings_from_environment()
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
        .http_client(http_client_at_endpoint(endpoint_url));
    Client::new(&config.build())
}

impl Processor {
    /// The processor of a Lambda function, as the process environment describes it: `AFTERIMAGE_VIEWS`
    /// if it is set (`registry`: no own file), the tables' names, and the AWS SDK's own variables.
    ///
    /// # Errors
    /// [`ProcessorError`] if the views do not hold together, or a name is missing or invalid.
    pub async fn of_function() -> Result<Self, ProcessorError> {
        let own = match ViewsFile::of_function() {
            None => None,
            Some(file) => {
                let views = file.read()?;
                let names = TableNames::of_function(&views.all_tables())?;
                Some(OwnViews { views, names })
            }
        };
        let derived_name = table_name_of_function(&Table::DERIVED)?;
        // A variable that no views file declares names a table of the deployment all the same.
        let mut unread = table_names_of_environment();
        unread.retain(|name| *name != derived_name);
        Self::of(client_from_environment().await, &derived_name, own, unread)
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
        let table_name = self.registry.derived_name();
        let client = self.registry.client();
        let read = client.batch_get_item().request_items(table_name, keys).send();
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
