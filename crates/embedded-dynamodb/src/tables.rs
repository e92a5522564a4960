//! Creates tables.

use afterimage_schema::{DefinitionError, TableDefinition, TableNameError, TableNames};
use dynoxide::Database;
use dynoxide::storage::TableMetadata;
use serde_json::{Value, json};

use crate::stream_records::StreamRecordsError;

/// Why a table could not be created, or is not the one that is declared.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// The table has no real name.
    #[error(transparent)]
    Name(#[from] TableNameError),
    /// The definition is not a request that the embedded DynamoDB understands.
    #[error("the definition of the table `{name}` was not understood")]
    Request {
        /// The table's real name.
        name: String,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The table that stands does not read.
    #[error(transparent)]
    Standing(#[from] DefinitionError),
    /// The table stands with other keys than those that are declared.
    #[error(
        "the table `{name}` stands with the keys {standing}, and the views file declares {declared}; correct its section `[table.{table}]`, or give it another `name`"
    )]
    OtherKeys {
        /// The table's logical name.
        table: String,
        /// The table's real name.
        name: String,
        /// The keys that it has.
        standing: String,
        /// The keys that are declared.
        declared: String,
    },
    /// The embedded DynamoDB refused.
    #[error("the table `{name}` could not be created: {reason}")]
    Refused {
        /// The table's real name.
        name: String,
        /// What the embedded DynamoDB said.
        reason: String,
    },
    /// Their streams could not be prepared.
    #[error(transparent)]
    StreamRecords(#[from] StreamRecordsError),
}

/// The tables that are not there, with their real names.
pub(crate) fn missing<'a>(
    database: &Database,
    definitions: &'a [TableDefinition],
    names: &'a TableNames,
) -> Result<Vec<(&'a TableDefinition, &'a str)>, TableError> {
    let mut missing = Vec::new();
    for definition in definitions {
        let name = names.name(&definition.table)?;
        match standing(database, name)? {
            Some(standing) => check_keys(definition, &standing)?,
            None => missing.push((definition, name)),
        }
    }
    Ok(missing)
}

/// What stands under a real name.
pub(crate) fn standing(
    database: &Database,
    name: &str,
) -> Result<Option<TableMetadata>, TableError> {
    let refused = |reason: String| TableError::Refused { name: name.to_owned(), reason };
    database.get_table_metadata(name).map_err(|error| refused(error.to_string()))
}

/// Creates the tables that are not there, and returns the real names of those that it created. Nothing is
/// created if a table that stands has other keys than its definition.
pub(crate) fn create_missing(
    database: &Database,
    definitions: &[TableDefinition],
    names: &TableNames,
) -> Result<Vec<String>, TableError> {
    let missing = missing(database, definitions, names)?;
    let mut created = Vec::new();
    for (definition, name) in missing {
        let request = serde_json::from_value(definition.create_table_input(name))
            .map_err(|source| TableError::Request { name: name.to_owned(), source })?;
        let refused = |reason: String| TableError::Refused { name: name.to_owned(), reason };
        database.create_table(request).map_err(|error| refused(error.to_string()))?;
        created.push(name.to_owned());
    }
    Ok(created)
}

fn check_keys(definition: &TableDefinition, standing: &TableMetadata) -> Result<(), TableError> {
    let name = &standing.table_name;
    let json = |text: &str| -> Result<Value, TableError> {
        serde_json::from_str(text)
            .map_err(|source| TableError::Request { name: name.clone(), source })
    };
    let input = json!({
        "KeySchema": json(&standing.key_schema)?,
        "AttributeDefinitions": json(&standing.attribute_definitions)?,
    });
    let found = TableDefinition::from_create_table_input(&definition.table, &input)?;
    if definition.has_keys_of(&found) {
        return Ok(());
    }
    Err(TableError::OtherKeys {
        table: definition.table.to_string(),
        name: name.clone(),
        standing: found.keys_in_words(),
        declared: definition.keys_in_words(),
    })
}
