//! Parked records as the subcommands look them up.

use afterimage::parked::{Stored, Summary};
use afterimage_dynamodb::ParkedRecords;
use anyhow::Context as _;

use crate::connection::Connection;

/// What every parked record tells without its payload, of one view where it is given.
pub(super) async fn summaries(
    connection: &Connection,
    parked: &ParkedRecords,
    view: Option<&str>,
) -> anyhow::Result<Vec<Summary>> {
    let summaries = parked.summaries().await;
    let mut summaries = summaries
        .with_context(|| format!("the parked records at {} cannot be read", connection.place()))?;
    summaries.retain(|summary| view.is_none_or(|view| summary.view == view));
    Ok(summaries)
}

/// The parked record with this id; `None` where there is none.
pub(super) async fn find(parked: &ParkedRecords, id: &str) -> anyhow::Result<Option<Stored>> {
    parked.find(id).await.with_context(|| format!("the parked record {id} cannot be read"))
}
