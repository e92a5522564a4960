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

    /// The application of a Lambda function that works on this table, as the process environment
    /// describes it: the table's name, and the AWS SDK's own variables.
    ///
    /// # Errors
    /// [`TableNameError`] for a name that is missing, or that DynamoDB refuses.
    pub async fn of_function(table: Table) -> Result<Self, TableNameError> {
        let names = TableNames::of_function(&[table])?;
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
