//! Table definitions, as `CreateTable` takes them.

use serde::Deserialize;
use serde_json::Value;

use crate::Table;

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum AttributeType {
    /// A string.
    #[serde(rename = "S")]
    String,
    /// A number.
    #[serde(rename = "N")]
    Number,
    /// Bytes.
    #[serde(rename = "B")]
    Binary,
}

/// A global secondary index of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondaryIndex {
    /// The index's name.
    pub name: String,
    /// The attribute that is its partition key.
    pub partition_key: String,
    /// The attribute that is its sort key, if it has one.
    pub sort_key: Option<String>,
}

/// A table definition: the whole `CreateTable` input, and the parts that views need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Which table it defines.
    pub table: Table,
    /// The attribute that is the partition key.
    pub partition_key: String,
    /// The attribute that is the sort key, if there is one.
    pub sort_key: Option<String>,
    /// The type of every key attribute, of the table and of its indexes.
    pub attribute_types: Vec<(String, AttributeType)>,
    /// The global secondary indexes.
    pub indexes: Vec<SecondaryIndex>,
    /// The input of `CreateTable`, whole, with the default table name.
    pub create_table_input: Value,
}

impl TableDefinition {
    /// The type of a key attribute; `None` where no key uses it.
    #[must_use]
    pub fn attribute_type(&self, attribute: &str) -> Option<AttributeType> {
        self.attribute_types.iter().find(|(name, _)| name == attribute).map(|(_, it)| *it)
    }
}

/// Why a table definition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The text is no `CreateTable` input.
    #[error("schema/{table}.json is no CreateTable input")]
    Syntax {
        /// The table.
        table: Table,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The table, or an index, has no partition key.
    #[error("schema/{table}.json: {holder} has no HASH key")]
    NoPartitionKey {
        /// The table.
        table: Table,
        /// The table or the index.
        holder: String,
    },
}

/// The definition of a table, from the `schema/` that was compiled in.
///
/// # Errors
/// [`DefinitionError`] where the compiled-in file is not a table definition.
pub fn definition(table: Table) -> Result<TableDefinition, DefinitionError> {
    let text = match table {
        Table::Albums => include_str!("../../../schema/albums.json"),
        Table::Messages => include_str!("../../../schema/messages.json"),
        Table::Derived => include_str!("../../../schema/derived.json"),
    };
    parse(table, text)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawDefinition {
    attribute_definitions: Vec<RawAttribute>,
    key_schema: Vec<RawKey>,
    #[serde(default)]
    global_secondary_indexes: Vec<RawIndex>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawAttribute {
    attribute_name: String,
    attribute_type: AttributeType,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawKey {
    attribute_name: String,
    key_type: KeyType,
}

#[derive(Deserialize, PartialEq, Eq, Clone, Copy)]
#[serde(rename_all = "UPPERCASE")]
enum KeyType {
    Hash,
    Range,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawIndex {
    index_name: String,
    key_schema: Vec<RawKey>,
}

fn parse(table: Table, text: &str) -> Result<TableDefinition, DefinitionError> {
    let syntax = |source| DefinitionError::Syntax { table, source };
    let create_table_input: Value = serde_json::from_str(text).map_err(syntax)?;
    let raw: RawDefinition = serde_json::from_str(text).map_err(syntax)?;
    let (partition_key, sort_key) = keys(table, "the table", &raw.key_schema)?;
    let mut indexes = Vec::new();
    for index in raw.global_secondary_indexes {
        let (partition_key, sort_key) = keys(table, &index.index_name, &index.key_schema)?;
        indexes.push(SecondaryIndex { name: index.index_name, partition_key, sort_key });
    }
    let attribute_types = raw
        .attribute_definitions
        .into_iter()
        .map(|attribute| (attribute.attribute_name, attribute.attribute_type))
        .collect();
    Ok(TableDefinition {
        table,
        partition_key,
        sort_key,
        attribute_types,
        indexes,
        create_table_input,
    })
}

fn keys(
    table: Table,
    holder: &str,
    schema: &[RawKey],
) -> Result<(String, Option<String>), DefinitionError> {
    let of_type = |wanted| {
        schema.iter().find(|key| key.key_type == wanted).map(|key| key.attribute_name.clone())
    };
    let partition_key = of_type(KeyType::Hash)
        .ok_or_else(|| DefinitionError::NoPartitionKey { table, holder: holder.to_owned() })?;
    Ok((partition_key, of_type(KeyType::Range)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_definition_reads_and_has_its_default_name() {
        for table in Table::ALL {
            let definition = definition(table).expect("compiled-in definition");
            assert_eq!(definition.create_table_input["TableName"], table.default_name());
        }
    }

    #[test]
    fn keys_and_indexes_are_those_of_the_public_surface() {
        let messages = definition(Table::Messages).expect("compiled-in definition");
        assert_eq!(
            (messages.partition_key.as_str(), messages.sort_key.as_deref()),
            ("pk", Some("sk"))
        );
        assert_eq!(
            messages.indexes,
            [SecondaryIndex {
                name: "message-group-sk-index".to_owned(),
                partition_key: "message_group_uuid".to_owned(),
                sort_key: Some("sk".to_owned()),
            }]
        );
        assert_eq!(messages.attribute_type("message_group_uuid"), Some(AttributeType::String));
        assert_eq!(messages.attribute_type("message"), None);
    }

    #[test]
    fn a_definition_without_a_partition_key_is_refused() {
        let error = parse(Table::Albums, r#"{"AttributeDefinitions": [], "KeySchema": []}"#);
        assert_eq!(
            error.map_err(|error| error.to_string()).expect_err("no key"),
            "schema/albums.json: the table has no HASH key"
        );
    }
}
