//! `afterimage parked list`.

use std::collections::BTreeMap;

use afterimage::parked::Summary;
use afterimage::{Catalog, decode};
use afterimage_dynamodb::ParkedRecords;
use clap::Args;
use serde_json::{Value, json};

use super::records::{find, summaries};
use crate::connection::Connection;
use crate::failure::Status;
use crate::item::on_one_line;
use crate::output::{Format, Output};

/// The arguments of `parked list`.
#[derive(Debug, Args)]
pub struct ListArguments {
    /// Only what this view parked; `-` for records that no view reads
    #[arg(allow_hyphen_values = true)]
    view: Option<String>,
    /// List at most this many records; the counts are of all of them
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

/// A record in the list, with what its payload tells.
struct Line {
    summary: Summary,
    table: Option<String>,
    source_key: Option<String>,
}

/// Prints how many records each view parked for which reason, and then the records, in the order in
/// which they would be tried again.
pub async fn run(
    connection: &Connection,
    parked: &ParkedRecords,
    format: Format,
    arguments: ListArguments,
) -> anyhow::Result<Status> {
    let all = summaries(connection, parked, arguments.view.as_deref()).await?;
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for summary in &all {
        *counts.entry((summary.view.clone(), summary.reason.clone())).or_insert(0) += 1;
    }
    let total = all.len();
    let catalog = connection.catalog()?;
    let mut lines = Vec::new();
    for summary in all.into_iter().take(arguments.limit) {
        lines.push(line(parked, &catalog, summary).await?);
    }
    match format {
        Format::Table => print(&counts, total, &lines)?,
        Format::Json => {
            let counts = counts.iter().map(
                |((view, reason), count)| json!({ "view": view, "reason": reason, "count": count }),
            );
            let records: Vec<_> = lines.iter().map(document).collect();
            let counts: Vec<_> = counts.collect();
            let mut output = Output::new();
            output.json(&json!({ "total": total, "counts": counts, "records": records }))?;
            output.finish()?;
        }
    }
    Ok(Status::Done)
}

async fn line(parked: &ParkedRecords, catalog: &Catalog, summary: Summary) -> anyhow::Result<Line> {
    // It may be gone since the table was read; what the first piece told is still worth a line.
    let stored = find(parked, &summary.id).await?;
    let record = stored.and_then(|stored| stored.record.ok());
    let decoded = record.map(|record| decode(catalog, None, &record.raw_json));
    let (table, record) = decoded.map_or((None, None), |it| (it.table_name, it.record.ok()));
    Ok(Line { summary, table, source_key: record.map(|record| record.key.to_string()) })
}

fn print(
    counts: &BTreeMap<(String, String), usize>,
    total: usize,
    lines: &[Line],
) -> anyhow::Result<()> {
    let mut output = Output::new();
    if total == 0 {
        output.line("nothing is parked")?;
        output.finish()?;
        return Ok(());
    }
    let rows: Vec<[String; 3]> = counts
        .iter()
        .map(|((view, reason), count)| [count.to_string(), view.clone(), on_one_line(reason)])
        .collect();
    output.table(["COUNT", "VIEW", "REASON"], &rows)?;
    if !lines.is_empty() {
        output.line("")?;
        let rows: Vec<[String; 6]> = lines.iter().map(row).collect();
        output.table(["ID", "TABLE", "SOURCE KEY", "PART", "TIMES", "PARKED AT"], &rows)?;
    }
    if lines.len() < total {
        output.line(&format!("{} of {total} are listed: raise --limit", lines.len()))?;
    }
    output.finish()?;
    Ok(())
}

fn row(line: &Line) -> [String; 6] {
    let text = |text: &Option<String>| text.as_deref().map_or("-".to_owned(), on_one_line);
    [
        on_one_line(&line.summary.id),
        text(&line.table),
        text(&line.source_key),
        text(&line.summary.part),
        line.summary.times.to_string(),
        line.summary.parked_at.clone(),
    ]
}

fn document(line: &Line) -> Value {
    let summary = &line.summary;
    let place = summary.place.as_ref();
    json!({
        "id": summary.id,
        "view": summary.view,
        "stream_label": place.map(|it| &it.stream_label),
        "sequence_number": place.map(|it| &it.sequence_number),
        "table": line.table,
        "source_key": line.source_key,
        "part": summary.part,
        "times": summary.times,
        "reason": summary.reason,
        "parked_at": summary.parked_at,
    })
}
