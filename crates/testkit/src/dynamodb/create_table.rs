//! `CreateTable` through the SDK, from an input as JSON.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::client::Waiters as _;
use aws_sdk_dynamodb::types as sdk;
use serde::Deserialize;
use serde_json::Value;

/// How long a table may take until it can be used.
const CREATION_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Definition {
    table_name: String,
    billing_mode: String,
    attribute_definitions: Vec<Attribute>,
    key_schema: Vec<Key>,
    #[serde(default)]
    global_secondary_indexes: Vec<Index>,
    stream_specification: Option<Stream>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Attribute {
    attribute_name: String,
    attribute_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Key {
    attribute_name: String,
    key_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Index {
    index_name: String,
    key_schema: Vec<Key>,
    projection: Projection,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Projection {
    projection_type: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Stream {
    stream_enabled: bool,
    stream_view_type: String,
}

/// Creates a table, and waits until it can be used.
pub(super) async fn create(client: &Client, input: &Value) {
    let input = Definition::deserialize(input).expect("a definition");
    let name = &input.table_name;
    let create = client
        .create_table()
        .table_name(name)
        .billing_mode(input.billing_mode.as_str().into())
        .set_attribute_definitions(Some(attributes(&input.attribute_definitions)))
        .set_key_schema(Some(keys(&input.key_schema)));
    let create = input
        .global_secondary_indexes
        .iter()
        .fold(create, |create, it| create.global_secondary_indexes(index(it)));
    let create = create.set_stream_specification(input.stream_specification.as_ref().map(stream));
    create.send().await.expect("a table");
    let ready = client.wait_until_table_exists().table_name(name).wait(CREATION_TIMEOUT).await;
    ready.expect("a table that can be used");
}

fn attributes(attributes: &[Attribute]) -> Vec<sdk::AttributeDefinition> {
    let build = |it: &Attribute| {
        sdk::AttributeDefinition::builder()
            .attribute_name(&it.attribute_name)
            .attribute_type(it.attribute_type.as_str().into())
            .build()
            .expect("a name and a type")
    };
    attributes.iter().map(build).collect()
}

fn keys(keys: &[Key]) -> Vec<sdk::KeySchemaElement> {
    let build = |it: &Key| {
        sdk::KeySchemaElement::builder()
            .attribute_name(&it.attribute_name)
            .key_type(it.key_type.as_str().into())
            .build()
            .expect("a name and a type")
    };
    keys.iter().map(build).collect()
}

fn index(index: &Index) -> sdk::GlobalSecondaryIndex {
    let projection = sdk::Projection::builder()
        .projection_type(index.projection.projection_type.as_str().into())
        .build();
    sdk::GlobalSecondaryIndex::builder()
        .index_name(&index.index_name)
        .set_key_schema(Some(keys(&index.key_schema)))
        .projection(projection)
        .build()
        .expect("a name and keys")
}

fn stream(stream: &Stream) -> sdk::StreamSpecification {
    sdk::StreamSpecification::builder()
        .stream_enabled(stream.stream_enabled)
        .stream_view_type(stream.stream_view_type.as_str().into())
        .build()
        .expect("whether it is enabled")
}
