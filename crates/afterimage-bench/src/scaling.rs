//! Scaling: how time and memory grow with the number of records and with the batch. New albums, as long
//! as 6 MB hold about 9,200 of; a process of its own for each line. Records are made as they are sent.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::BenchError;
use crate::engine::Engine;
use crate::functions::{Program, Programs, Running};
use crate::progress::Progress;
use crate::report::Target;
use crate::statistics::number;
use crate::workload::record::{SourceChange, next_event};
use crate::workload::{Kind, Size, SourceItem, album, message};

/// Bytes of a record's JSON, at least: what makes 9,200 of them 6 MB.
const RECORD_BYTES: usize = 680;

/// The most memory for an event of 6 MB.
const PEAK_MEMORY_MIB_MAX: f64 = 48.0;

const MIB: f64 = 1024.0 * 1024.0;

/// How many records a line has, the longest last.
const RECORD_COUNTS: [usize; 4] = [1_000, 10_000, 100_000, 1_000_000];

/// The longest that a line may take before it is cut off.
const LINE_TIME: Duration = Duration::from_secs(150);

/// Batch sizes; the last is bounded by bytes alone.
const BATCH_SIZES: [Option<usize>; 3] = [Some(100), Some(1000), None];

/// All lines.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scaling {
    /// New albums, by batch and number of records.
    pub lines: Vec<Line>,
    /// One event of 6 MB each: of new albums, and of messages of 1,000 groups.
    pub largest_events: Vec<Line>,
    /// What was aimed at.
    pub targets: Vec<Target>,
}

/// A number of records in batches of a size.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Line {
    /// The workload.
    pub kind: Kind,
    /// Records of a batch; absent where an event is filled up to 6 MB.
    pub batch_size: Option<usize>,
    /// Records that were to be sent.
    pub record_count: usize,
    /// Records that were sent: fewer where the time was over.
    pub sent_count: usize,
    /// Events that they were sent in.
    pub event_count: usize,
    /// Bytes of the largest event.
    pub event_bytes_max: usize,
    /// The time of all events, seconds.
    pub seconds: f64,
    /// The most memory that the process had, MiB.
    pub peak_memory_mib: f64,
}

impl Line {
    /// Records a second.
    #[must_use]
    pub fn records_per_second(&self) -> f64 {
        number(self.sent_count) / self.seconds
    }

    /// Whether the time was over before all records were sent.
    #[must_use]
    pub fn is_cut_off(&self) -> bool {
        self.sent_count < self.record_count
    }
}

/// Runs all lines; the longest are left out of a quick run.
///
/// # Errors
/// [`BenchError`] where the function fails.
pub async fn measure(
    programs: &Programs,
    is_quick: bool,
    progress: &Progress,
) -> Result<Scaling, BenchError> {
    let mut lines = Vec::new();
    for batch_size in BATCH_SIZES {
        for record_count in RECORD_COUNTS {
            if is_quick && record_count > 100_000 {
                continue;
            }
            let batch = batch_size.map_or("6 MB".to_owned(), |size| format!("{size}"));
            progress.tell(&format!("scaling, {record_count} records in batches of {batch}"));
            let records = (0..).map(album_record).take(record_count);
            let line = Line::empty(Kind::NewAlbums, batch_size, record_count);
            lines.push(run(&programs.afterimage, line, records, &[]).await?);
        }
    }
    let mut largest_events = Vec::new();
    for kind in [Kind::NewAlbums, Kind::ManyGroups] {
        progress.tell(&format!("scaling, one event of 6 MB, {}", kind.name()));
        largest_events.push(largest_event(&programs.afterimage, kind).await?);
    }
    let targets = largest_events.iter().map(|line| {
        let what = format!("peak memory of an event of 6 MB, {}, MiB", line.kind.name());
        Target::at_most(&what, line.peak_memory_mib, PEAK_MEMORY_MIB_MAX)
    });
    Ok(Scaling { targets: targets.collect(), lines, largest_events })
}

/// One event that is as large as can be.
async fn largest_event(program: &Program, kind: Kind) -> Result<Line, BenchError> {
    let record = match kind {
        Kind::HotGroup | Kind::ManyGroups => message_record,
        Kind::NewAlbums | Kind::GenreChanges | Kind::Duplicates => album_record,
    };
    let (_, record_count) = next_event(&mut (0..).map(record).peekable(), usize::MAX)
        .ok_or(BenchError::State { what: "an event of 6 MB holds no record" })?;
    let records = (0..).map(record);
    let items = kind.workload(Size { event_count: 1, records_per_event: 1 }).items;
    let line = Line::empty(kind, None, record_count);
    run(program, line, records.take(record_count), &items).await
}

async fn run(
    program: &Program,
    mut line: Line,
    records: impl Iterator<Item = String>,
    items: &[SourceItem],
) -> Result<Line, BenchError> {
    let engine = Engine::start().await?;
    engine.put_all(items).await?;
    let mut running = program.start(&engine).await?;
    running.ready().await;
    let mut records = records.peekable();
    let start = Instant::now();
    while let Some((event, count)) = next_event(&mut records, line.batch_size.unwrap_or(usize::MAX))
    {
        line.seconds += running.process(&event).await?.as_secs_f64();
        line.event_bytes_max = line.event_bytes_max.max(event.len());
        line.sent_count += count;
        line.event_count += 1;
        if start.elapsed() > LINE_TIME {
            break;
        }
    }
    line.peak_memory_mib = peak_memory_mib(&running)?;
    running.end().await?;
    Ok(line)
}

impl Line {
    fn empty(kind: Kind, batch_size: Option<usize>, record_count: usize) -> Self {
        Self {
            kind,
            batch_size,
            record_count,
            sent_count: 0,
            event_count: 0,
            event_bytes_max: 0,
            seconds: 0.0,
            peak_memory_mib: 0.0,
        }
    }
}

fn peak_memory_mib(running: &Running) -> Result<f64, BenchError> {
    Ok(running.peak_memory_bytes()? as f64 / MIB)
}

/// The record of a new album, with notes that make it as long as it should be.
fn album_record(number: u64) -> String {
    let mut change: SourceChange = album::inserted(number);
    let missing = RECORD_BYTES.saturating_sub(change.to_json().len() + NOTES_BYTES);
    change.after.push(("Notes", "n".repeat(missing)));
    change.to_json()
}

/// The record of a message, of a thousand conversations in turn.
fn message_record(number: u64) -> String {
    message::posted(number, number % message::GROUP_COUNT).to_json()
}

/// What an attribute `Notes` takes beside its text, and its length in `SizeBytes`.
const NOTES_BYTES: usize = 19;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::record::EVENT_BYTES_MAX;

    #[test]
    fn six_megabytes_hold_about_9200_records() {
        let mut records = (0..).map(album_record).peekable();
        let (event, count) = next_event(&mut records, usize::MAX).expect("an event");
        assert!(event.len() > EVENT_BYTES_MAX - 1000);
        assert!((9_100..9_300).contains(&count), "{count}");
    }
}
