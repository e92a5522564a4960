//! `afterimage verify`: derived items against the fold of the source tables.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::time::Duration;

use afterimage::View;
use afterimage::registry::Maintained;
use afterimage_dynamodb::{Verification, VerifyOptions, ViewReport};
use afterimage_schema::Table;
use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::connection::{Connection, ConnectionArguments};
use crate::failure::{self, Failure, Status};
use crate::item::on_one_line;
use crate::output::{Format, Output};
use crate::progress;

const EXAMPLES: &str = "\
Examples:
  afterimage verify
  afterimage verify genre-counts --output json
  afterimage verify --aws --segments 16 --patience 60

Writes may go on: a difference is drift only if it stands still through several consistent looks. A
stream that is behind for longer than --patience is taken for drift.
Exit codes: 0 no drift, 1 drift, or something could not be read, 3 no drift found, and something could
not be decided, as the report says.";

/// The arguments of `verify`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyArguments {
    /// Only this view
    view: Option<String>,
    /// Segments of each table that are read at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=256))]
    segments: u32,
    /// How long a difference has to stand still before it is drift
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(0..=86_400))]
    patience: u64,
    #[command(flatten)]
    connection: ConnectionArguments,
}

/// Compares, prints what differs, and keeps the result for a later look.
pub async fn run(arguments: VerifyArguments) -> anyhow::Result<Status> {
    let connection = arguments.connection.open().await?;
    let format = arguments.connection.format();
    let (processor, maintained) = connection.registered().await?;
    check_view(&maintained, arguments.view.as_deref())?;
    if maintained.registry.is_none() {
        writeln!(
            std::io::stderr(),
            "note: there is no registry; {} is compared",
            connection.file()
        )?;
    }
    let bar = match format {
        Format::Table => progress::bar(item_count(&connection, &maintained).await?, "verifying"),
        Format::Json => indicatif::ProgressBar::hidden(),
    };
    let options = VerifyOptions {
        segment_count: arguments.segments,
        patience: Duration::from_secs(arguments.patience),
    };
    let verified = processor.verify(arguments.view.as_deref(), options, |count| bar.inc(count));
    let verified = Box::pin(verified).await;
    bar.finish_and_clear();
    let verified = verified
        .with_context(|| format!("the tables at {} cannot be compared", connection.place()))?;
    print(&verified, format)?;
    for report in &verified.views {
        if let Err(error) = processor.keep_result(report).await {
            // What was found is printed; that it cannot be kept changes nothing about it.
            let sentence = format!("the result about {} was not kept", report.view);
            let next = "give the command leave to write to `derived`, or ignore this";
            failure::print(&Failure::new(sentence, next).because(error).into());
        }
    }
    Ok(if verified.views.iter().any(ViewReport::is_drifted) {
        Status::Incomplete
    } else if verified.views.iter().any(ViewReport::is_undecided) {
        Status::Undecided
    } else {
        Status::Done
    })
}

fn check_view(maintained: &Maintained, view: Option<&str>) -> Result<(), Failure> {
    let names: Vec<&str> = maintained.views.iter().map(View::name).collect();
    match view.filter(|view| !names.contains(view)) {
        None => Ok(()),
        Some(view) => {
            let next = format!("name one of: {}", names.join(", "));
            Err(Failure::usage(format!("there is no view `{view}`"), next))
        }
    }
}

/// About how many items there are: what DynamoDB counted in the last hours.
async fn item_count(connection: &Connection, maintained: &Maintained) -> anyhow::Result<u64> {
    let mut count: u64 = 0;
    let sources = maintained.views.iter().map(|view| view.source().clone());
    let tables: BTreeSet<_> = sources.chain(std::iter::once(Table::DERIVED)).collect();
    for table in &tables {
        let name = maintained.catalog.name(table)?;
        let described = connection.client.describe_table().table_name(name).send().await;
        let described = described.map_err(|error| connection.explain(error))?;
        let items = described.table.and_then(|table| table.item_count);
        count += items.and_then(|items| u64::try_from(items).ok()).unwrap_or_default();
    }
    Ok(count)
}

fn print(verified: &Verification, format: Format) -> anyhow::Result<()> {
    let mut output = Output::new();
    match format {
        Format::Table => {
            for report in &verified.views {
                print_report(&mut output, report)?;
            }
            output.line(&format!("consumed: {} read units", verified.consumption.read_units))?;
        }
        Format::Json => {
            let views: Vec<_> = verified.views.iter().map(document).collect();
            let read_units = verified.consumption.read_units;
            output.json(&json!({ "views": views, "read_units": read_units }))?;
        }
    }
    output.finish()?;
    Ok(())
}

fn print_report(output: &mut Output, report: &ViewReport) -> std::io::Result<()> {
    let verdict = match report.drift.len() as u64 + report.further_count {
        0 if report.is_undecided() => "no drift found, and not all could be decided".to_owned(),
        0 => "no drift".to_owned(),
        count => format!("{count} items drifted"),
    };
    let ViewReport { view, source_item_count, group_count, .. } = report;
    output.line(&format!(
        "{view}: {verdict}; {source_item_count} source items, {group_count} groups"
    ))?;
    let kept = [
        (report.retained_count, "retained: deleted, and rightly kept by remove = \"skip\""),
        (report.parked_count, "parked: they wait for `afterimage parked retry`"),
        (report.further_count, "differed and were not looked at again: too many"),
    ];
    for (count, text) in kept.iter().filter(|(count, _)| *count > 0) {
        output.line(&format!("  {count} {text}"))?;
    }
    for item in &report.undecided {
        output.line(&format!("  undecided: {}", on_one_line(item)))?;
    }
    let rows: Vec<[String; 3]> = report
        .drift
        .iter()
        .map(|it| [on_one_line(&it.item), on_one_line(&it.expected), on_one_line(&it.found)])
        .collect();
    if rows.is_empty() {
        Ok(())
    } else {
        output.table(["DERIVED ITEM", "EXPECTED", "FOUND"], &rows)
    }
}

fn document(report: &ViewReport) -> Value {
    let drift: Vec<_> = report
        .drift
        .iter()
        .map(|it| json!({ "item": it.item, "expected": it.expected, "found": it.found }))
        .collect();
    json!({
        "view": report.view,
        "drift": drift,
        "further": report.further_count,
        "retained": report.retained_count,
        "parked": report.parked_count,
        "undecided": report.undecided,
        "source_items": report.source_item_count,
        "groups": report.group_count,
    })
}
