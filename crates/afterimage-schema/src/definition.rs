//! Table definitions: keys and indexes, and the `CreateTable` input that they make.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::Table;

/// The type of a key attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
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

impl AttributeType {
    /// The name that DynamoDB gives the type: `S`, `N` or `B`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            AttributeType::String => "S",
            AttributeType::Number => "N",
            AttributeType::Binary => "B",
        }
    }
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
    /// What it holds of each item.
    pub projection: Projection,
}

/// What an index holds of each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Projection {
    /// Every attribute.
    #[default]
    All,
    /// The keys of the table and of the index.
    KeysOnly,
}

impl Projection {
    /// The name that DynamoDB gives the projection.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Projection::All => "ALL",
            Projection::KeysOnly => "KEYS_ONLY",
        }
    }
}

/// What is known of a table: its names, its keys and its indexes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableDefinition {
    /// Which table it defines.
    pub table: Table,
    /// The real name, if the views file gives it; else the environment does.
    pub name: Option<String>,
    /// The attribute that is the partition key.
    pub partition_key: String,
    /// The attribute that is the sort key, if there is one.
    pub sort_key: Option<String>,
    /// The type of every key attribute, of the table and of its indexes, by name.
    pub attribute_types: Vec<(String, AttributeType)>,
    /// The global secondary indexes, by name.
    pub indexes: Vec<SecondaryIndex>,
}

impl TableDefinition {
    /// The definition of `derived`: two strings, no index.
    #[must_use]
    pub fn derived() -> Self {
        let string = |name: &str| (name.to_owned(), AttributeType::String);
        Self {
            table: Table::DERIVED,
            name: None,
            partition_key: "pk".to_owned(),
            sort_key: Some("sk".to_owned()),
            attribute_types: vec![string("pk"), string("sk")],
            indexes: Vec::new(),
        }
    }

    /// The type of a key attribute; `None` if no key uses it.
    #[must_use]
    pub fn attribute_type(&self, attribute: &str) -> Option<AttributeType> {
        self.attribute_types.iter().find(|(name, _)| name == attribute).map(|(_, it)| *it)
    }

    /// The attributes of the table's primary key, the partition key first.
    pub fn key_attributes(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.partition_key.as_str()).chain(self.sort_key.as_deref())
    }

    /// Whether both tables have the same primary key: attributes and types.
    #[must_use]
    pub fn has_keys_of(&self, other: &TableDefinition) -> bool {
        let keys = |it: &TableDefinition| -> Vec<_> {
            it.key_attributes().map(|name| (name.to_owned(), it.attribute_type(name))).collect()
        };
        self.sort_key.is_some() == other.sort_key.is_some() && keys(self) == keys(other)
    }

    /// The primary key in words, such as `customer (S), order_id (N)`.
    #[must_use]
    pub fn keys_in_words(&self) -> String {
        let word = |name| {
            let key_type = self.attribute_type(name).map_or("?", AttributeType::name);
            format!("{name} ({key_type})")
        };
        self.key_attributes().map(word).collect::<Vec<_>>().join(", ")
    }

    /// The input of `CreateTable` under this real name: on demand, and with a
    /// stream of new images unless the table is `derived`.
    #[must_use]
    pub fn create_table_input(&self, name: &str) -> Value {
        let key = |attribute: &str, key_type: &str| json!({ "AttributeName": attribute, "KeyType": key_type });
        let schema = |partition: &str, sort: Option<&str>| -> Vec<Value> {
            let sort = sort.map(|sort| key(sort, "RANGE"));
            std::iter::once(key(partition, "HASH")).chain(sort).collect()
        };
        let attributes = self
            .attribute_types
            .iter()
            .map(|(name, it)| json!({ "AttributeName": name, "AttributeType": it.name() }));
        let mut input = json!({
            "TableName": name,
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": attributes.collect::<Vec<_>>(),
            "KeySchema": schema(&self.partition_key, self.sort_key.as_deref()),
        });
        let indexes = self.indexes.iter().map(|index| {
            json!({
                "IndexName": index.name,
                "KeySchema": schema(&index.partition_key, index.sort_key.as_deref()),
                "Projection": { "ProjectionType": index.projection.name() },
            })
        });
        let indexes: Vec<_> = indexes.collect();
        if let Some(members) = input.as_object_mut() {
            if !indexes.is_empty() {
                members.insert("GlobalSecondaryIndexes".to_owned(), Value::Array(indexes));
            }
            if self.table != Table::DERIVED {
                let stream = json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" });
                members.insert("StreamSpecification".to_owned(), stream);
            }
        }
        input
    }

    /// Reads the definition of a table from an input of `CreateTable`.
    ///
    /// # Errors
    /// [`DefinitionError`] if the input is not one.
    pub fn from_create_table_input(table: &Table, input: &Value) -> Result<Self, DefinitionError> {
        let raw = RawDefinition::deserialize(input)
            .map_err(|source| DefinitionError::Syntax { table: table.clone(), source })?;
        let (partition_key, sort_key) = keys(table, "the table", &raw.key_schema)?;
        let mut indexes = Vec::new();
        for index in raw.global_secondary_indexes {
            let (partition_key, sort_key) = keys(table, &index.index_name, &index.key_schema)?;
            let (name, projection) = (index.index_name, index.projection.projection_type);
            indexes.push(SecondaryIndex { name, partition_key, sort_key, projection });
        }
        indexes.sort_by(|one, other| one.name.cmp(&other.name));
        let attributes = raw.attribute_definitions.into_iter();
        let mut attribute_types: Vec<_> =
            attributes.map(|it| (it.attribute_name, it.attribute_type)).collect();
        attribute_types.sort();
        let table = table.clone();
        Ok(Self { table, name: None, partition_key, sort_key, attribute_types, indexes })
    }
}

/// Why a table definition could not be read.
#[derive(Debug, thiserror::Error)]
pub enum DefinitionError {
    /// The value is not an input of `CreateTable`.
    #[error("the definition of the table `{table}` is not an input of CreateTable")]
    Syntax {
        /// The table.
        table: Table,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
    /// The table, or an index, has no partition key.
    #[error("the definition of the table `{table}`: {holder} has no HASH key")]
    NoPartitionKey {
        /// The table.
        table: Table,
        /// The table or the index.
        holder: String,
    },
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
    projection: RawProjection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawProjection {
    projection_type: Projection,
}

fn keys(
    table: &Table,
    holder: &str,
    schema: &[RawKey],
) -> Result<(String, Option<String>), DefinitionError> {
    let of_type = |wanted| {
        schema.iter().find(|key| key.key_type == wanted).map(|key| key.attribute_name.clone())
    };
    let partition_key = of_type(KeyType::Hash).ok_or_else(|| DefinitionError::NoPartitionKey {
        table: table.clone(),
        holder: holder.to_owned(),
    })?;
    Ok((partition_key, of_type(KeyType::Range)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn orders() -> TableDefinition {
        TableDefinition {
            table: "orders".parse().expect("a table"),
            name: None,
            partition_key: "customer".to_owned(),
            sort_key: Some("number".to_owned()),
            attribute_types: vec![
                ("customer".to_owned(), AttributeType::String),
                ("number".to_owned(), AttributeType::Number),
                ("status".to_owned(), AttributeType::Binary),
            ],
            indexes: vec![SecondaryIndex {
                name: "by-status".to_owned(),
                partition_key: "status".to_owned(),
                sort_key: None,
                projection: Projection::KeysOnly,
            }],
        }
    }

    #[test]
    fn a_definition_survives_its_create_table_input() {
        for definition in [orders(), TableDefinition::derived()] {
            let input = definition.create_table_input("real");
            assert_eq!(input["TableName"], "real");
            assert_eq!(input.get("StreamSpecification").is_some(), definition == orders());
            let read = TableDefinition::from_create_table_input(&definition.table, &input);
            assert_eq!(read.expect("reads"), definition);
        }
    }

    #[test]
    fn keys_are_compared_by_name_and_type() {
        let other = TableDefinition { indexes: Vec::new(), ..orders() };
        assert!(orders().has_keys_of(&other));
        assert!(!orders().has_keys_of(&TableDefinition { sort_key: None, ..orders() }));
        assert!(!orders().has_keys_of(&TableDefinition::derived()));
        assert_eq!(orders().keys_in_words(), "customer (S), number (N)");
    }

    #[test]
    fn a_definition_without_a_partition_key_is_refused() {
        let input = json!({ "AttributeDefinitions": [], "KeySchema": [] });
        let read = TableDefinition::from_create_table_input(&orders().table, &input);
        assert_eq!(
            read.expect_err("no key").to_string(),
            "the definition of the table `orders`: the table has no HASH key"
        );
    }
}
