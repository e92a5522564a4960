//! Tables, in Markdown that reads as plain text too.

use std::fmt::Write as _;

use super::{Bound, Report, Target};
use crate::cold_start::{ColdStart, Starts};
use crate::decode::Decoding;
use crate::scaling::{Line, Scaling};
use crate::statistics::Spread;
use crate::throughput::{Rate, Throughput};

/// All tables of a report.
#[must_use]
pub fn text(report: &Report) -> String {
    let machine = &report.machine;
    let mut text = format!(
        "{} cores of {}, {}, on {}{}. Medians, with the least and the greatest behind them.\n",
        machine.core_count,
        machine.cpu_model,
        machine.kernel,
        machine.date,
        if report.is_quick { ", a quick run" } else { "" },
    );
    let mut section = |title: &str, tables: &[String]| {
        // Writing to a text cannot fail.
        let _ = write!(text, "\n### {title}\n\n{}", tables.join("\n"));
    };
    section("Targets", &[targets(report.targets())]);
    if let Some(cold_start) = &report.cold_start {
        section("Cold start", &[of_cold_start(cold_start)]);
    }
    if !report.throughput.is_empty() {
        section("Throughput", &[rates(&report.throughput), units(&report.throughput)]);
    }
    if !report.decoding.is_empty() {
        section("Decoding and planning", &[of_decoding(&report.decoding)]);
    }
    if let Some(scaling) = &report.scaling {
        section("Scaling", &[of_scaling(scaling)]);
    }
    text
}

fn targets<'a>(targets: impl Iterator<Item = &'a Target>) -> String {
    let row = |target: &Target| {
        let bound = match target.bound {
            Bound::AtLeast => "≥",
            Bound::AtMost => "≤",
        };
        vec![
            target.what.clone(),
            figure(target.measured),
            format!("{bound} {}", target.limit),
            if target.is_met { "met" } else { "**missed**" }.to_owned(),
        ]
    };
    table(&["figure", "here", "target", ""], targets.map(row))
}

fn of_cold_start(cold_start: &ColdStart) -> String {
    let row = |name: &str, pick: fn(&Starts) -> Spread, ratio: Spread| {
        let (afterimage, python) = (pick(&cold_start.afterimage), pick(&cold_start.python));
        vec![name.to_owned(), spread(afterimage), spread(python), spread(ratio)]
    };
    let rows = [
        row("first request for an event, ms", |it| it.ready_ms, cold_start.ready_ratio),
        row("first response, one write, ms", |it| it.first_write_ms, cold_start.first_write_ratio),
    ];
    let runs = cold_start.first_write_ratio.run_count;
    let head = format!("from the spawn, {runs} times each");
    table(&[&head, "Afterimage", "Python", "ratio"], rows.into_iter())
}

fn rates(workloads: &[Throughput]) -> String {
    let row = |it: &Throughput| {
        vec![
            it.kind.name().to_owned(),
            spread(it.python.records_per_second),
            spread(it.afterimage.records_per_second),
            spread(it.floor.records_per_second),
            spread(it.whole_floor.records_per_second),
            spread(it.python_ratio),
            spread(it.floor_ratio),
            spread(it.whole_floor_ratio),
        ]
    };
    let head = [
        "records a second",
        "Python",
        "Afterimage",
        "floor: writes",
        "parse, reads, writes",
        "Afterimage / Python",
        "floor / Afterimage",
        "with parse, reads",
    ];
    table(&head, workloads.iter().map(row))
}

fn units(workloads: &[Throughput]) -> String {
    let miscounted = |rate: &Rate| match rate.miscounted {
        Some(count) => count.to_string(),
        None => "–".to_owned(),
    };
    let row = |it: &Throughput| {
        vec![
            it.kind.name().to_owned(),
            figure(it.python.write_units_per_record),
            figure(it.afterimage.write_units_per_record),
            figure(it.floor.write_units_per_record),
            miscounted(&it.python),
            miscounted(&it.afterimage),
            it.python.record_count.to_string(),
            it.afterimage.record_count.to_string(),
        ]
    };
    let head = [
        "write units a record",
        "Python",
        "Afterimage",
        "floor",
        "Python counts wrong by",
        "Afterimage's",
        "records, Python",
        "records, others",
    ];
    table(&head, workloads.iter().map(row))
}

fn of_decoding(decoding: &[Decoding]) -> String {
    let optional = |it: Option<Spread>| it.map_or("–".to_owned(), spread);
    let row = |it: &Decoding| {
        vec![
            it.kind.name().to_owned(),
            it.event_bytes.to_string(),
            spread(it.parse_ns),
            spread(it.open_ns),
            spread(it.open_ratio),
            optional(it.plan_ns),
            optional(it.plan_ratio),
        ]
    };
    let head = [
        "1,000 records, ns each",
        "bytes",
        "parse alone",
        "decode to first read",
        "/ parse",
        "decode and plan",
        "/ parse",
    ];
    table(&head, decoding.iter().map(row))
}

fn of_scaling(scaling: &Scaling) -> String {
    let batch = |line: &Line| match line.batch_size {
        Some(size) => size.to_string(),
        None => "6 MB".to_owned(),
    };
    let sent = |line: &Line| {
        let cut_off = if line.is_cut_off() { ", then the time was over" } else { "" };
        format!("{} of {}{cut_off}", line.sent_count, line.record_count)
    };
    let row = |line: &Line| {
        vec![
            line.kind.name().to_owned(),
            batch(line),
            sent(line),
            line.event_count.to_string(),
            format!("{:.2}", line.seconds),
            figure(line.records_per_second()),
            figure(line.peak_memory_mib),
            line.event_bytes_max.to_string(),
        ]
    };
    let lines = scaling.lines.iter().chain(&scaling.largest_events);
    let head = [
        "workload",
        "batch",
        "records",
        "events",
        "seconds",
        "records a second",
        "peak MiB",
        "largest event, bytes",
    ];
    table(&head, lines.map(row))
}

/// The columns are as wide as their widest cell.
fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let head: Vec<String> = head.iter().map(|it| (*it).to_owned()).collect();
    let rows: Vec<_> = std::iter::once(head).chain(rows).collect();
    let column_count = rows.first().map_or(0, Vec::len);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0).max(3)
    };
    let widths: Vec<_> = (0..column_count).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).enumerate();
        let cells = cells.map(|(column, (cell, width))| {
            if column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        });
        format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
    };
    let rule = widths.iter().enumerate().map(|(column, width)| {
        if column == 0 { "-".repeat(*width) } else { format!("{}:", "-".repeat(width - 1)) }
    });
    let rule = format!("| {} |\n", rule.collect::<Vec<_>>().join(" | "));
    let mut lines = rows.iter().map(line);
    let head = lines.next().unwrap_or_default();
    format!("{head}{rule}{}", lines.collect::<String>())
}

fn spread(spread: Spread) -> String {
    format!("{} ({}–{})", figure(spread.median), figure(spread.min), figure(spread.max))
}

/// A figure with three digits that count, thousands apart.
#[must_use]
pub fn figure(value: f64) -> String {
    match value.abs() {
        it if it >= 100.0 => thousands(value.round()),
        it if it >= 10.0 => format!("{value:.1}"),
        it if it >= 0.1 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn thousands(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if value < 0.0 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_have_the_digits_that_count() {
        let figures = [0.0284, 0.5, 14.02, 153.4, 12345.6, 1_234_567.0].map(figure);
        assert_eq!(figures, ["0.028", "0.50", "14.0", "153", "12,346", "1,234,567"]);
    }

    #[test]
    fn columns_stand_below_one_another() {
        let targets =
            [Target::at_most("memory, MiB", 31.25, 48.0), Target::at_least("ratio", 7.5, 8.0)];
        assert_eq!(
            super::targets(targets.iter()),
            "| figure      | here | target |            |\n\
             | ----------- | ---: | -----: | ---------: |\n\
             | memory, MiB | 31.2 |   ≤ 48 |        met |\n\
             | ratio       | 7.50 |    ≥ 8 | **missed** |\n"
        );
    }
}
