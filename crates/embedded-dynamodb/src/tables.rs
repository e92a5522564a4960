//! Creates the product's tables.

use afterimage_schema::{DefinitionError, Table, TableNames, definition};
use dynoxide::Database;
use serde_json::{Value, json};

/// Why a table could not be created.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The compiled-in definition does not read.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The definition is no request.
    #[error("the definition of the table {table} was not understood")]
    Request {
        /// The table.
        table: Table,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The embedded DynamoDB refused.
    #[error("the table {table} could not be created: {reason}")]
    Refused {
        /// The table.
        table: Table,
        /// What the embedded DynamoDB said.
        reason: String,
    },
}

/// Creates the tables that are not there, and returns which they were.
pub(crate) fn create_missing(
    database: &Database,
    names: &TableNames,
) -> Result<Vec<Table>, TableError> {
    let mut created = Vec::new();
    for table in Table::ALL {
        let refused = |reason: String| TableError::Refused { table, reason };
        let name = names.name(table);
        let known =
            database.get_table_metadata(name).map_err(|error| refused(error.to_string()))?;
        if known.is_some() {
            continue;
        }
        let mut input = definition(table)?.create_table_input;
        if let Value::Object(fields) = &mut input {
            fields.insert("TableName".to_owned(), json!(name));
        }
        let request = serde_json::from_value(input)
            .map_err(|source| TableError::Request { table, source })?;
        database.create_table(request).map_err(|error| refused(error.to_string()))?;
        created.push(table);
    }
    Ok(created)
}
