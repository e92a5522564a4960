//! The tables that a command is about, as they are.

use std::time::Duration;

use afterimage_schema::{Table, TableDefinition};
use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::types::TableDescription;

use crate::connection::Connection;
use crate::failure::Failure;

/// How often a table is asked whether it is ready; AWS takes seconds to create one.
pub(super) const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The table as DynamoDB describes it; `None` if there is none.
pub(super) async fn describe(
    connection: &Connection,
    table: &Table,
) -> anyhow::Result<Option<TableDescription>> {
    let name = connection.names.name(table)?;
    match connection.client.describe_table().table_name(name).send().await {
        Ok(described) => Ok(described.table),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(None),
        Err(error) => Err(connection.explain(error)),
    }
}

/// The tables without those that were named twice; all of them if none is named.
pub(super) fn chosen(
    connection: &Connection,
    named: &[Table],
) -> Result<Vec<TableDefinition>, Failure> {
    for table in named {
        connection.table(table)?;
    }
    let mut tables = connection.tables();
    tables.retain(|it| named.is_empty() || named.contains(&it.table));
    Ok(tables)
}
