//! `afterimage schema list`.

use aws_sdk_dynamodb::types::TableDescription;
use serde_json::json;

use super::tables::describe;
use crate::connection::Connection;
use crate::failure::Status;
use crate::output::{Format, Output};

/// Prints every table: what it is called, how it is, what is in it. DynamoDB on AWS counts the
/// items every six hours.
pub async fn run(connection: &Connection, format: Format) -> anyhow::Result<Status> {
    let mut tables = Vec::new();
    for definition in connection.tables() {
        let table = definition.table;
        let name = connection.names.name(&table)?;
        let description = describe(connection, &table).await?;
        tables.push((table, name, description));
    }
    let mut output = Output::new();
    match format {
        Format::Table => {
            let rows: Vec<[String; 5]> = tables
                .iter()
                .map(|(table, name, description)| {
                    row(table.logical_name(), name, description.as_ref())
                })
                .collect();
            output.table(["TABLE", "NAME", "STATUS", "ITEMS", "STREAM"], &rows)?;
        }
        Format::Json => {
            for (table, name, description) in &tables {
                output.json(&json!({
                    "table": table.logical_name(),
                    "name": name,
                    "status": description.as_ref().map(status),
                    "item_count": description.as_ref().and_then(TableDescription::item_count),
                    "stream": description.as_ref().and_then(stream),
                }))?;
            }
        }
    }
    output.finish()?;
    Ok(Status::Done)
}

fn row(table: &str, name: &str, description: Option<&TableDescription>) -> [String; 5] {
    let dash = || "-".to_owned();
    [
        table.to_owned(),
        name.to_owned(),
        description.map_or_else(|| "missing".to_owned(), status),
        description
            .and_then(TableDescription::item_count)
            .map_or_else(dash, |count| count.to_string()),
        description.and_then(stream).unwrap_or_else(dash),
    ]
}

fn status(description: &TableDescription) -> String {
    description.table_status().map_or_else(|| "-".to_owned(), |status| status.as_str().to_owned())
}

/// The stream's view type and label, where the stream is on.
fn stream(description: &TableDescription) -> Option<String> {
    let specification = description.stream_specification().filter(|it| it.stream_enabled())?;
    let view_type = specification.stream_view_type().map_or("-", |it| it.as_str());
    Some(format!("{view_type} {}", description.latest_stream_label().unwrap_or("-")))
}
