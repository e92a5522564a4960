//! What the handlers depend on.

use afterimage_schema::{Table, TableNameError, TableNames};
use aws_sdk_dynamodb::Client;

use crate::Clock;

/// The messages application over a DynamoDB client and a clock.
#[derive(Debug, Clone)]
pub struct Messages {
    pub(crate) client: Client,
    names: TableNames,
    pub(crate) clock: Clock,
}

impl Messages {
    /// The application over these tables.
    #[must_use]
    pub const fn new(client: Client, names: TableNames, clock: Clock) -> Self {
        Self { client, names, clock }
    }

    /// The application of a Lambda function, as the process environment describes it:
    /// `MESSAGES_TABLE`, the AWS SDK's own variables, and the system's clock.
    ///
    /// # Errors
    /// [`TableNameError`] for a name that is missing, or that DynamoDB refuses.
    pub async fn of_function() -> Result<Self, TableNameError> {
        let names = TableNames::of_function(&[Table::Messages])?;
        let config = aws_config::load_from_env().await;
        Ok(Self::new(Client::new(&config), names, Clock::system()))
    }

    pub(crate) fn table(&self) -> &str {
        self.names.name(Table::Messages)
    }
}
