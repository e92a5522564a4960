//! `afterimage schema load`.

use afterimage_schema::{Table, TableDefinition};
use aws_sdk_dynamodb::types::{TableStatus, TimeToLiveSpecification, TimeToLiveStatus};
use serde_json::json;

use super::request;
use super::tables::{POLL_INTERVAL, describe};
use crate::connection::Connection;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output};
use crate::progress;

/// The attribute of `derived` items by which DynamoDB lets them expire.
const EXPIRY_ATTRIBUTE: &str = "expires_at";

/// Creates what is missing and waits until it can be used. A table that differs from its definition
/// is reported and left alone.
pub async fn run(connection: &Connection, format: Format) -> anyhow::Result<Status> {
    let mut output = Output::new();
    let mut status = Status::Done;
    for definition in connection.tables() {
        let table = &definition.table;
        let name = connection.names.name(table)?;
        let differences = load(connection, &definition).await?;
        let outcome = match differences.as_deref() {
            None => "created",
            Some([]) => "exists",
            Some(_) => {
                status = Status::Incomplete;
                "differs"
            }
        };
        let differences = differences.unwrap_or_else(Vec::new);
        match format {
            Format::Table => {
                output.line(&format!("{name}: {outcome}"))?;
                for difference in differences {
                    output.line(&format!("  {difference}"))?;
                }
            }
            Format::Json => output.json(&json!({
                "table": table.logical_name(),
                "name": name,
                "outcome": outcome,
                "differences": differences,
            }))?,
        }
    }
    output.finish()?;
    Ok(status)
}

/// Creates the table where it is missing; else in what it differs from its definition.
async fn load(
    connection: &Connection,
    definition: &TableDefinition,
) -> anyhow::Result<Option<Vec<String>>> {
    let table = &definition.table;
    let name = connection.names.name(table)?;
    let existing = describe(connection, table).await?;
    let differences = match &existing {
        Some(existing) => Some(request::differences(definition, name, existing)?),
        None => {
            let request = request::create_table(definition, name)?;
            let created = request.send_with(&connection.client).await;
            created.map_err(|error| connection.explain(error))?;
            None
        }
    };
    wait_until_active(connection, table).await?;
    if *table == Table::DERIVED {
        let_items_expire(connection, table).await?;
    }
    Ok(differences)
}

async fn wait_until_active(connection: &Connection, table: &Table) -> anyhow::Result<()> {
    let name = connection.names.name(table)?;
    let spinner = progress::spinner(format!("waiting for {name}"));
    loop {
        let Some(described) = describe(connection, table).await? else {
            let sentence = format!("the table {name} was deleted meanwhile");
            return Err(Failure::new(sentence, "run `afterimage schema load` again").into());
        };
        if described.table_status() == Some(&TableStatus::Active) {
            spinner.finish_and_clear();
            return Ok(());
        }
        tokio::time::sleep(POLL_INTERVAL).await;
    }
}

/// Turns expiry on where it is off; DynamoDB refuses to turn on what is on.
async fn let_items_expire(connection: &Connection, table: &Table) -> anyhow::Result<()> {
    let name = connection.names.name(table)?;
    let described = connection.client.describe_time_to_live().table_name(name).send().await;
    let described = described.map_err(|error| connection.explain(error))?;
    let current = described.time_to_live_description();
    let is_on = current
        .and_then(|it| it.time_to_live_status())
        .is_some_and(|it| matches!(it, TimeToLiveStatus::Enabled | TimeToLiveStatus::Enabling));
    if is_on {
        return Ok(());
    }
    let specification = TimeToLiveSpecification::builder()
        .enabled(true)
        .attribute_name(EXPIRY_ATTRIBUTE)
        .build()?;
    let updated = connection
        .client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(specification)
        .send()
        .await;
    updated.map_err(|error| connection.explain(error))?;
    Ok(())
}
