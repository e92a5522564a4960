//! Decoding: from the bytes of an event to what the core asks for first, and on to the transactions
//! that it plans, beside `serde_json` reading the same bytes into a `Value`.

use std::hint::black_box;
use std::time::{Duration, Instant};

use afterimage::batch::Batch;
use afterimage::engine::{Answer, Read, Step, Task};
use afterimage::{Catalog, Decoded, Views, decode};
use afterimage_dynamodb::StreamEvent;
use afterimage_schema::TableNames;
use serde::Serialize;
use serde_json::Value;

use crate::BenchError;
use crate::progress::Progress;
use crate::report::Target;
use crate::statistics::{Spread, number};
use crate::workload::record::{SourceChange, event};
use crate::workload::{Kind, Size};

/// At most this many times the time of the parser alone.
const PARSE_RATIO_MAX: f64 = 2.0;

const RECORD_COUNT: usize = 1000;

/// The figures of one event.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Decoding {
    /// The workload that the event is of.
    pub kind: Kind,
    /// Bytes of the event.
    pub event_bytes: usize,
    /// `serde_json` into a `Value`, nanoseconds for each record.
    pub parse_ns: Spread,
    /// To what the core asks for first, nanoseconds for each record.
    pub open_ns: Spread,
    /// How many times the time of the parser.
    pub open_ratio: Spread,
    /// To the transactions of a store in which nothing stands yet; albums only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_ns: Option<Spread>,
    /// How many times the time of the parser.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan_ratio: Option<Spread>,
    /// What was aimed at.
    pub targets: Vec<Target>,
}

/// The core, as the processor has it.
struct Core {
    catalog: Catalog,
    views: Views,
}

/// A batch whose tasks have said what they want first; it is kept whole, so that dropping it is not
/// timed.
struct Opened {
    tasks: Vec<Box<dyn Task>>,
    steps: Vec<Step>,
    _batch: (StreamEvent, Vec<Decoded>),
}

impl Core {
    fn new() -> Result<Self, BenchError> {
        let views = Views::compiled_in().map_err(BenchError::engine)?;
        let names = TableNames::defaults(&views.all_tables()).map_err(BenchError::engine)?;
        let catalog = views.catalog(names).map_err(BenchError::engine)?;
        Ok(Self { catalog, views })
    }

    /// What a batch has before its first read.
    fn open(&self, bytes: &[u8]) -> Result<Opened, BenchError> {
        let event: StreamEvent = serde_json::from_slice(bytes)?;
        let decoded: Vec<Decoded> =
            event.records.iter().map(|raw| decode(&self.catalog, None, raw.get())).collect();
        let (_, tasks) = Batch::open(&self.views, decoded.iter().map(|it| it.record.as_ref()));
        let mut tasks: Vec<_> = tasks.into_iter().map(|it| it.task).collect();
        let steps = tasks.iter_mut().map(|task| task.next()).collect();
        Ok(Opened { tasks, steps, _batch: (event, decoded) })
    }

    /// What it plans where nothing stands yet.
    fn plan(&self, bytes: &[u8]) -> Result<(Vec<Step>, Opened), BenchError> {
        let mut opened = self.open(bytes)?;
        let absent = |read: Read| match read {
            Read::Item(_) | Read::Last { .. } => (read, Answer::Item(None)),
            Read::Suggested { .. } => (read, Answer::Suggested(Vec::new())),
        };
        let mut planned = Vec::new();
        for (task, step) in opened.tasks.iter_mut().zip(opened.steps.drain(..)) {
            if let Step::Read(reads) = step {
                task.answered(reads.into_iter().map(absent).collect());
                planned.push(task.next());
            }
        }
        Ok((planned, opened))
    }
}

/// Times an event of each view.
///
/// # Errors
/// [`BenchError`] where the event cannot be read.
pub async fn measure(run_count: usize, progress: &Progress) -> Result<Vec<Decoding>, BenchError> {
    let core = Core::new()?;
    let mut measured = Vec::new();
    for kind in [Kind::NewAlbums, Kind::ManyGroups] {
        progress.tell(&format!("decoding, {}", kind.name()));
        measured.push(measure_kind(&core, kind, run_count).await?);
    }
    Ok(measured)
}

async fn measure_kind(core: &Core, kind: Kind, run_count: usize) -> Result<Decoding, BenchError> {
    let workload = kind.workload(Size { event_count: 1, records_per_event: RECORD_COUNT });
    let records: Vec<_> = workload.events.iter().flatten().map(SourceChange::to_json).collect();
    let event = event(&records);
    let bytes = event.as_bytes();
    let is_planned = kind == Kind::NewAlbums;
    check(core, bytes, is_planned)?;
    let (mut parse, mut open, mut plan) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..run_count {
        parse.push(timed(|| serde_json::from_slice::<Value>(black_box(bytes)))?);
        open.push(timed(|| core.open(black_box(bytes)))?);
        if is_planned {
            plan.push(timed(|| core.plan(black_box(bytes)))?);
        }
        // Ctrl-C is heard between two runs.
        tokio::task::yield_now().await;
    }
    compare(kind, bytes.len(), &parse, &open, &plan)
        .ok_or(BenchError::State { what: "nothing was decoded" })
}

/// Whether the path that is timed is the one that is meant.
fn check(core: &Core, bytes: &[u8], is_planned: bool) -> Result<(), BenchError> {
    let steps = core.open(bytes)?.steps;
    let read_count: usize =
        steps.iter().map(|step| if let Step::Read(reads) = step { reads.len() } else { 0 }).sum();
    let commits = if is_planned { core.plan(bytes)?.0 } else { Vec::new() };
    let is_commit = |step: &Step| matches!(step, Step::Commit(_));
    if read_count == RECORD_COUNT && commits.iter().all(is_commit) {
        return Ok(());
    }
    Err(BenchError::State { what: "the core did not decide as it should" })
}

/// The time of a call, without dropping what it made.
fn timed<T, E: Into<BenchError>>(call: impl Fn() -> Result<T, E>) -> Result<Duration, BenchError> {
    let start = Instant::now();
    let made = black_box(call()).map_err(Into::into)?;
    let took = start.elapsed();
    drop(made);
    Ok(took)
}

fn compare(
    kind: Kind,
    event_bytes: usize,
    parse: &[Duration],
    open: &[Duration],
    plan: &[Duration],
) -> Option<Decoding> {
    let per_record = |runs: &[Duration]| {
        let per_record = |it: &Duration| it.as_secs_f64() * 1e9 / number(RECORD_COUNT);
        Spread::of(&runs.iter().map(per_record).collect::<Vec<_>>())
    };
    let ratio = |runs: &[Duration]| {
        let pairs = runs.iter().zip(parse);
        Spread::of(&pairs.map(|(run, parse)| run.div_duration_f64(*parse)).collect::<Vec<_>>())
    };
    let (open_ratio, plan_ratio) = (ratio(open)?, ratio(plan));
    let what = |path: &str| format!("{}, {path}, times the parse alone", kind.name());
    let mut targets =
        vec![Target::at_most(&what("decode to first read"), open_ratio.median, PARSE_RATIO_MAX)];
    targets.extend(
        plan_ratio
            .map(|ratio| Target::at_most(&what("decode and plan"), ratio.median, PARSE_RATIO_MAX)),
    );
    Some(Decoding {
        kind,
        event_bytes,
        parse_ns: per_record(parse)?,
        open_ns: per_record(open)?,
        open_ratio,
        plan_ns: per_record(plan),
        plan_ratio,
        targets,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn both_events_reach_the_first_read_and_albums_their_transactions() {
        let found = measure(1, &Progress::new()).await.expect("figures");
        assert_eq!(found.iter().map(|it| it.plan_ns.is_some()).collect::<Vec<_>>(), [true, false]);
    }
}
