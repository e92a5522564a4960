//! What the handlers depend on.

use afterimage_schema::{Table, TableNameError, table_name_of_function};
use aws_sdk_dynamodb::Client;
use dynamodb_client::client_from_environment;
use http_api::TIMEOUTS;

/// The table of the album library.
pub const ALBUMS: Table = Table::literal("albums");

/// The albums application over a DynamoDB client.
#[derive(Debug, Clone)]
pub struct Albums {
    pub(crate) client: Client,
    table: String,
}

impl Albums {
    /// The application over the table of this real name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The application of a Lambda function, as the process environment describes it: `ALBUMS_TABLE`, and
    /// the AWS SDK's own variables.
    ///
    /// # Errors
    /// [`TableNameError`] for a name that is missing, or that DynamoDB refuses.
    pub async fn of_function() -> Result<Self, TableNameError> {
        let table = table_name_of_function(&ALBUMS)?;
        let client = client_from_environment(TIMEOUTS).await;
        Ok(Self::new(client, table))
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }
}

/// The counts per genre, as a view of the albums keeps them in `derived`.
#[derive(Debug, Clone)]
pub struct Genres {
    pub(crate) client: Client,
    table: String,
}

impl Genres {
    /// The counts in the `derived` table of this real name.
    #[must_use]
    pub const fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// The counts of a Lambda function, as the process environment describes it: `DERIVED_TABLE`, and the
    /// AWS SDK's own variables.
    ///
    /// # Errors
    /// [`TableNameError`] for a name that is missing, or that DynamoDB refuses.
    pub async fn of_function() -> Result<Self, TableNameError> {
        let table = table_name_of_function(&Table::DERIVED)?;
        let client = client_from_environment(TIMEOUTS).await;
        Ok(Self::new(client, table))
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }
}
