//! `afterimage seed albums`.

use std::path::Path;

use albums::{ALBUMS, Album, Albums, import};
use anyhow::Context as _;
use serde_json::json;

use crate::connection::Connection;
use crate::failure::{Failure, Status};
use crate::output::{Format, Output};
use crate::progress;

/// The albums of the file; the sample where none is named.
pub fn read(file: Option<&Path>) -> anyhow::Result<Vec<Album>> {
    let Some(file) = file else {
        return Ok(albums::sample()?);
    };
    let bytes = std::fs::read(file)
        .with_context(|| format!("the file {} cannot be read", file.display()))?;
    let extension = file.extension().and_then(|extension| extension.to_str());
    let imported = match extension.map(str::to_ascii_lowercase).as_deref() {
        Some("csv") => import::csv(&bytes),
        Some("json") => import::json(&bytes),
        _ => {
            let sentence = format!("{} is neither .csv nor .json", file.display());
            return Err(Failure::usage(sentence, "name the file after its format").into());
        }
    };
    imported.map_err(|error| {
        let sentence = format!("{} holds no albums that can be written", file.display());
        Failure::new(sentence, "correct the file; nothing was written").because(error).into()
    })
}

/// Writes the albums, each in place of what has its key.
pub async fn run(
    connection: &Connection,
    format: Format,
    items: &[Album],
) -> anyhow::Result<Status> {
    let application =
        Albums::new(connection.client.clone(), connection.names.name(&ALBUMS)?.to_owned());
    let bar = progress::bar(items.len() as u64, "writing albums");
    let report = |written| bar.set_position(written as u64);
    let written = albums::put_all(&application, items, report).await?;
    bar.finish_and_clear();
    let mut output = Output::new();
    match format {
        Format::Table => output.line(&format!("{written} albums written"))?,
        Format::Json => output.json(&json!({ "albums_written": written }))?,
    }
    output.finish()?;
    Ok(Status::Done)
}
