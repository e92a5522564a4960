//! What the handlers depend on.

use afterimage_schema::{Table, TableNameError, table_name_of_function};
use aws_sdk_dynamodb::Client;
use dynamodb_client::client_from_environment;
use http_api::TIMEOUTS;

use crate::Clock;

/// The table of conversations, messages and user profiles.
pub const MESSAGES: Table = Table::literal("messages");

/// The messages application over a DynamoDB client and a clock.
#[derive(Debug, Clone)]
pub struct Messages {
    pub(crate) client: Client,
    table: String,
    pub(crate) clock: Clock,
}

impl Messages {
    /// The application over the table of this real name.
    #[must_use]
    pub const fn new(client: Client, table: String, clock: Clock) -> Self {
        Self { client, table, clock }
    }

    /// The application of a Lambda function, as the process environment describes it:
    /// `MESSAGES_TABLE`, the AWS SDK's own variables, and the system's clock.
    ///
    /// # Errors
    /// [`TableNameError`] for a name that is missing, or that DynamoDB refuses.
    pub async fn of_function() -> Result<Self, TableNameError> {
        let table = table_name_of_function(&MESSAGES)?;
        let client = client_from_environment(TIMEOUTS).await;
        Ok(Self::new(client, table, Clock::system()))
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }
}
