//! `afterimage schema drop`.

use afterimage_schema::Table;
use clap::Args;
use serde_json::json;

use super::tables::{POLL_INTERVAL, chosen, describe};
use crate::commands::prompt::agreed;
use crate::connection::Connection;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output};
use crate::progress;

/// The arguments of `schema drop`.
#[derive(Debug, Args)]
pub struct DropArguments {
    /// The tables, as the views file calls them, or `derived`; all of them if none is named
    #[arg(value_name = "TABLE")]
    tables: Vec<Table>,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Deletes the tables that exist, once the person at the terminal agrees.
pub async fn run(
    connection: &Connection,
    format: Format,
    arguments: DropArguments,
) -> anyhow::Result<Status> {
    let tables = chosen(connection, &arguments.tables)?;
    let names = tables.iter().map(|it| connection.names.name(&it.table));
    let names: Vec<&str> = names.collect::<Result<_, _>>()?;
    let question = format!(
        "Delete {} at {}, with everything in them, for ever?",
        names.join(", "),
        connection.place()
    );
    if !arguments.yes && !agreed("schema drop", &question).await? {
        return Err(Failure::new("nothing was deleted", "answer yes where you mean it").into());
    }
    let mut output = Output::new();
    for (table, name) in tables.iter().map(|it| &it.table).zip(names) {
        let outcome = drop_table(connection, table).await?;
        match format {
            Format::Table => output.line(&format!("{name}: {outcome}"))?,
            Format::Json => {
                output.json(
                    &json!({ "table": table.logical_name(), "name": name, "outcome": outcome }),
                )?;
            }
        }
    }
    output.finish()?;
    Ok(Status::Done)
}

/// Deletes the table and waits until it is gone.
async fn drop_table(connection: &Connection, table: &Table) -> anyhow::Result<&'static str> {
    if describe(connection, table).await?.is_none() {
        return Ok("was not there");
    }
    let name = connection.names.name(table)?;
    let deleted = connection.client.delete_table().table_name(name).send().await;
    deleted.map_err(|error| connection.explain(error))?;
    let spinner = progress::spinner(format!("deleting {name}"));
    while describe(connection, table).await?.is_some() {
        tokio::time::sleep(POLL_INTERVAL).await;
    }
    spinner.finish_and_clear();
    Ok("deleted")
}
