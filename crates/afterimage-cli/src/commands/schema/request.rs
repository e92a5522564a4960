//! A table definition as the SDK's request, and compared with the table that exists.

use std::collections::BTreeSet;

use afterimage_schema::TableDefinition;
use anyhow::Context as _;
use aws_sdk_dynamodb::operation::create_table::builders::CreateTableInputBuilder;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection,
    ProjectionType, ScalarAttributeType, StreamSpecification, StreamViewType, TableDescription,
};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The input of `CreateTable`. A field that is not known here is an error: nothing of a definition is left out.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Input {
    /// The request sets it by itself.
    #[serde(rename = "TableName")]
    _name: IgnoredAny,
    billing_mode: String,
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<Key>,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
    stream_specification: Option<Stream>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Key {
    attribute_name: String,
    key_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Index {
    index_name: String,
    key_schema: Vec<Key>,
    projection: IndexProjection,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct IndexProjection {
    projection_type: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Stream {
    stream_enabled: bool,
    stream_view_type: String,
}

/// The request that creates the table under its real name.
pub fn create_table(
    definition: &TableDefinition,
    name: &str,
) -> anyhow::Result<CreateTableInputBuilder> {
    let input = read(definition, name)?;
    let attributes = input.attribute_definitions.iter().map(Attribute::sdk);
    let indexes = input.global_secondary_indexes.iter().map(Index::sdk);
    let indexes = indexes.collect::<anyhow::Result<Vec<_>>>()?;
    let stream = input.stream_specification.as_ref().map(Stream::sdk).transpose()?;
    Ok(CreateTableInputBuilder::default()
        .table_name(name)
        .billing_mode(BillingMode::from(input.billing_mode.as_str()))
        .set_attribute_definitions(Some(attributes.collect::<anyhow::Result<_>>()?))
        .set_key_schema(Some(keys(&input.key_schema)?))
        .set_global_secondary_indexes(Some(indexes).filter(|indexes| !indexes.is_empty()))
        .set_stream_specification(stream))
}

/// In what the existing table differs from its definition: one line per difference, without the
/// attributes' order, the real name and what AWS adds by itself.
pub fn differences(
    definition: &TableDefinition,
    name: &str,
    existing: &TableDescription,
) -> anyhow::Result<Vec<String>> {
    let input = read(definition, name)?;
    let wanted = input.facts();
    let found = existing_facts(existing);
    let missing = wanted.difference(&found).map(|fact| format!("misses {fact}"));
    let surplus = found.difference(&wanted).map(|fact| format!("has {fact}"));
    Ok(missing.chain(surplus).collect())
}

fn read(definition: &TableDefinition, name: &str) -> anyhow::Result<Input> {
    serde_json::from_value(definition.create_table_input(name))
        .with_context(|| format!("the definition of the table `{name}` cannot be read"))
}

impl Input {
    fn facts(&self) -> BTreeSet<String> {
        let mut facts = BTreeSet::new();
        for attribute in &self.attribute_definitions {
            let Attribute { attribute_name, attribute_type } = attribute;
            facts.insert(format!("the attribute {attribute_name} of type {attribute_type}"));
        }
        for key in &self.key_schema {
            facts.insert(format!("the {} key {}", key.key_type, key.attribute_name));
        }
        for index in &self.global_secondary_indexes {
            let name = &index.index_name;
            facts.insert(format!("the index {name}, {}", index.projection.projection_type));
            for key in &index.key_schema {
                facts.insert(format!("the {} key {} of {name}", key.key_type, key.attribute_name));
            }
        }
        if let Some(stream) = self.stream_specification.as_ref().filter(|it| it.stream_enabled) {
            facts.insert(format!("the stream {}", stream.stream_view_type));
        }
        facts
    }
}

fn existing_facts(table: &TableDescription) -> BTreeSet<String> {
    let mut facts = BTreeSet::new();
    for attribute in table.attribute_definitions() {
        let (name, kind) = (attribute.attribute_name(), attribute.attribute_type().as_str());
        facts.insert(format!("the attribute {name} of type {kind}"));
    }
    for key in table.key_schema() {
        facts.insert(format!("the {} key {}", key.key_type().as_str(), key.attribute_name()));
    }
    for index in table.global_secondary_indexes() {
        let name = index.index_name().unwrap_or("-");
        let projection = index.projection().and_then(Projection::projection_type);
        let projection = projection.map_or("-", ProjectionType::as_str);
        facts.insert(format!("the index {name}, {projection}"));
        for key in index.key_schema() {
            let (kind, attribute) = (key.key_type().as_str(), key.attribute_name());
            facts.insert(format!("the {kind} key {attribute} of {name}"));
        }
    }
    let stream = table.stream_specification().filter(|stream| stream.stream_enabled());
    if let Some(view_type) = stream.and_then(StreamSpecification::stream_view_type) {
        facts.insert(format!("the stream {}", view_type.as_str()));
    }
    facts
}

impl Attribute {
    fn sdk(&self) -> anyhow::Result<AttributeDefinition> {
        Ok(AttributeDefinition::builder()
            .attribute_name(&self.attribute_name)
            .attribute_type(ScalarAttributeType::from(self.attribute_type.as_str()))
            .build()?)
    }
}

impl Index {
    fn sdk(&self) -> anyhow::Result<GlobalSecondaryIndex> {
        let projection_type = ProjectionType::from(self.projection.projection_type.as_str());
        Ok(GlobalSecondaryIndex::builder()
            .index_name(&self.index_name)
            .set_key_schema(Some(keys(&self.key_schema)?))
            .projection(Projection::builder().projection_type(projection_type).build())
            .build()?)
    }
}

impl Stream {
    fn sdk(&self) -> anyhow::Result<StreamSpecification> {
        Ok(StreamSpecification::builder()
            .stream_enabled(self.stream_enabled)
            .stream_view_type(StreamViewType::from(self.stream_view_type.as_str()))
            .build()?)
    }
}

fn keys(keys: &[Key]) -> anyhow::Result<Vec<KeySchemaElement>> {
    let elements = keys.iter().map(|key| {
        KeySchemaElement::builder()
            .attribute_name(&key.attribute_name)
            .key_type(KeyType::from(key.key_type.as_str()))
            .build()
    });
    Ok(elements.collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use afterimage::Views;

    use super::*;

    #[test]
    fn every_definition_makes_a_request_under_the_real_name() {
        for definition in Views::compiled_in().expect("views").all_tables() {
            let request = create_table(&definition, "renamed").and_then(|it| Ok(it.build()?));
            assert_eq!(request.expect("a whole request").table_name(), Some("renamed"));
        }
    }

    #[test]
    fn differences_name_what_is_missing_and_what_is_too_much() {
        let definition = TableDefinition::derived();
        let key = Key { attribute_name: "pk".to_owned(), key_type: "HASH".to_owned() };
        let existing = TableDescription::builder()
            .set_key_schema(Some(keys(&[key]).expect("a key")))
            .attribute_definitions(
                Attribute { attribute_name: "pk".to_owned(), attribute_type: "N".to_owned() }
                    .sdk()
                    .expect("an attribute"),
            )
            .build();
        assert_eq!(
            differences(&definition, "derived", &existing).expect("compared"),
            [
                "misses the RANGE key sk",
                "misses the attribute pk of type S",
                "misses the attribute sk of type S",
                "has the attribute pk of type N",
            ]
        );
    }
}
