//! `afterimage seed messages`.

use std::path::Path;

use anyhow::Context as _;
use messages::{Clock, MESSAGES, Messages, Sample};
use serde_json::json;

use crate::connection::Connection;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output};
use crate::progress;

/// The conversations of the file; the sample where none is named.
pub fn read(file: Option<&Path>) -> anyhow::Result<Sample> {
    let Some(file) = file else {
        return Ok(messages::sample()?);
    };
    let bytes = std::fs::read(file)
        .with_context(|| format!("the file {} cannot be read", file.display()))?;
    Sample::parse(&bytes).map_err(|error| {
        let sentence = format!("{} holds no conversations that can be written", file.display());
        Failure::new(sentence, "correct the file; nothing was written").because(error).into()
    })
}

/// Writes the profiles and conversations that are not there yet.
pub async fn run(
    connection: &Connection,
    format: Format,
    sample: &Sample,
) -> anyhow::Result<Status> {
    let name = connection.names.name(&MESSAGES)?.to_owned();
    let application = Messages::new(connection.client.clone(), name, Clock::system());
    let spinner = progress::spinner("writing conversations");
    let seeded = messages::seed(&application, sample).await?;
    spinner.finish_and_clear();
    let mut output = Output::new();
    match format {
        Format::Table => output.line(&format!(
            "{} profiles, {} conversations and {} messages written",
            seeded.profiles, seeded.conversations, seeded.messages
        ))?,
        Format::Json => output.json(&json!({
            "profiles_written": seeded.profiles,
            "conversations_written": seeded.conversations,
            "messages_written": seeded.messages,
        }))?,
    }
    output.finish()?;
    Ok(Status::Done)
}
