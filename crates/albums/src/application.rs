//! What the handlers depend on.

use afterimage_schema::{Table, TableNameError, TableNames};
use aws_sdk_dynamodb::Client;

/// The albums application over a DynamoDB client.
#[derive(Debug, Clone)]
pub struct Albums {
    pub(crate) client: Client,
    names: TableNames,
}

impl Albums {
    /// The application over these tables.
    #[must_use]
    pub const fn new(client: Client, names: TableNames) -> Self {
        Self { client, names }
    }

    /// The application that the process environment describes: `ALBUMS_TABLE` and `DERIVED_TABLE`,
    /// and the AWS SDK's own variables.
    ///
    /// # Errors
    /// [`TableNameError`] for a name that DynamoDB refuses.
    pub async fn from_environment() -> Result<Self, TableNameError> {
        let names = TableNames::from_environment()?;
        let config = aws_config::load_from_env().await;
        Ok(Self::new(Client::new(&config), names))
    }

    pub(crate) fn albums_table(&self) -> &str {
        self.names.name(Table::Albums)
    }

    pub(crate) fn derived_table(&self) -> &str {
        self.names.name(Table::Derived)
    }
}
