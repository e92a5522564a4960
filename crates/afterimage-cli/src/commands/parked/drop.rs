//! `afterimage parked drop`.

use afterimage_dynamodb::{ParkedRecords, Removed};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;

use super::records::{find, summaries};
use crate::commands::prompt::agreed;
use crate::connection::Connection;
use crate::failure::{Failure, Status};
use crate::item::on_one_line;
use crate::output::{Format, Output};

/// The arguments of `parked drop`.
#[derive(Debug, Args)]
pub struct DropArguments {
    /// Ids of records, as `parked list` prints them
    #[arg(value_name = "ID", required_unless_present = "all")]
    ids: Vec<String>,
    /// Every parked record
    #[arg(long, conflicts_with = "ids")]
    all: bool,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Deletes parked records, once the person at the terminal agrees. A count goes on without what they
/// would have added, until a newer record of the same source item comes.
pub async fn run(
    connection: &Connection,
    parked: &ParkedRecords,
    format: Format,
    arguments: DropArguments,
) -> anyhow::Result<Status> {
    let ids = if arguments.all {
        let summaries = summaries(connection, parked, None).await?;
        summaries.into_iter().map(|summary| summary.id).collect()
    } else {
        arguments.ids
    };
    let question = format!(
        "Delete {} parked records at {}, payload and all, for ever?",
        ids.len(),
        connection.place()
    );
    if !arguments.yes && !agreed("parked drop", &question).await? {
        return Err(Failure::new("nothing was deleted", "answer yes where you mean it").into());
    }
    let mut output = Output::new();
    let mut status = Status::Done;
    for id in &ids {
        let removed = match find(parked, id).await? {
            None => None,
            Some(stored) => Some(
                parked
                    .remove(&stored)
                    .await
                    .with_context(|| format!("the parked record {id} cannot be deleted"))?,
            ),
        };
        let outcome = match removed {
            Some(Removed::Done) => "deleted",
            Some(Removed::Changed) => "changed meanwhile",
            None => "not there",
        };
        if removed != Some(Removed::Done) {
            status = Status::Incomplete;
        }
        match format {
            Format::Table => output.line(&format!("{}: {outcome}", on_one_line(id)))?,
            Format::Json => output.json(&json!({ "id": id, "outcome": outcome }))?,
        }
    }
    output.finish()?;
    Ok(status)
}
