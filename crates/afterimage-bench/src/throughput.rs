//! Throughput: records a second and write units of each workload, of both functions and the floor.
//! Every run has an empty engine of its own; the runs of the four take turns.

use std::time::Duration;

use serde::Serialize;

use crate::BenchError;
use crate::engine::Engine;
use crate::floor::{Floor, What};
use crate::functions::{Program, Programs};
use crate::progress::Progress;
use crate::report::Target;
use crate::statistics::{Spread, number};
use crate::workload::record::event_of;
use crate::workload::{Kind, Size, Workload};

/// The processor is at most this many times slower than the floor of writes alone.
const FLOOR_RATIO_MAX: f64 = 1.5;

/// Records of a timed event, as `template.yaml` has them.
const BATCH_SIZE: usize = 1000;

/// A workload's figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Throughput {
    /// The workload.
    pub kind: Kind,
    /// `stream-processor`.
    pub afterimage: Rate,
    /// The baseline.
    pub python: Rate,
    /// The floor of writes alone.
    pub floor: Rate,
    /// The floor with parsing and the reads that decide.
    pub whole_floor: Rate,
    /// How many times the records a second of the baseline.
    pub python_ratio: Spread,
    /// How many times the time of the floor.
    pub floor_ratio: Spread,
    /// How many times the time of the floor with parsing and reads.
    pub whole_floor_ratio: Spread,
    /// What was aimed at.
    pub targets: Vec<Target>,
}

/// How fast something ran a workload.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    /// Records of one run.
    pub record_count: usize,
    /// Records a second.
    pub records_per_second: Spread,
    /// Write units for each source record.
    pub write_units_per_record: f64,
    /// By how much the counts it left differ from the albums there are, all genres together; absent
    /// where the workload has no albums, or where nothing was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub miscounted: Option<i64>,
}

/// How a run went.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    record_count: usize,
    took: Duration,
    write_units: f64,
    miscounted: Option<i64>,
}

/// How much of a workload the functions run.
#[derive(Debug, Clone, Copy)]
struct Sizes {
    afterimage: Size,
    python: Size,
}

fn sizes(kind: Kind, is_quick: bool) -> Sizes {
    let (event_count, python_count) = match kind {
        Kind::HotGroup => (30, 400),
        Kind::ManyGroups => (3, 400),
        Kind::NewAlbums | Kind::Duplicates => (10, 1000),
        Kind::GenreChanges => (10, 500),
    };
    let divisor = if is_quick { 2 } else { 1 };
    let event_count = (event_count / divisor).max(1);
    Sizes {
        afterimage: Size { event_count, records_per_event: BATCH_SIZE },
        python: Size { event_count: 1, records_per_event: python_count / divisor },
    }
}

/// Runs a workload this many times.
///
/// # Errors
/// [`BenchError`] where a function fails.
pub async fn measure(
    programs: &Programs,
    kind: Kind,
    run_count: usize,
    is_quick: bool,
    progress: &Progress,
) -> Result<Throughput, BenchError> {
    let sizes = sizes(kind, is_quick);
    let (workload, python_workload) =
        (kind.workload(sizes.afterimage), kind.workload(sizes.python));
    let floor = Floor::of(kind, &workload).await?;
    let mut runs = Runs::default();
    for run in 1..=run_count {
        let tell =
            |subject| progress.tell(&format!("{}, {run} of {run_count}: {subject}", kind.name()));
        tell("Python");
        runs.python.push(run_function(&programs.python, &python_workload).await?);
        tell("Afterimage");
        runs.afterimage.push(run_function(&programs.afterimage, &workload).await?);
        tell("floor");
        runs.floor.push(run_floor(&floor, What::Writes, &workload).await?);
        tell("floor with parsing and reads");
        runs.whole_floor.push(run_floor(&floor, What::ParseReadsAndWrites, &workload).await?);
    }
    runs.compare(kind).ok_or(BenchError::State { what: "no run was measured" })
}

async fn run_function(program: &Program, workload: &Workload) -> Result<Run, BenchError> {
    let engine = Engine::start().await?;
    engine.put_all(&workload.items).await?;
    let mut running = program.start(&engine).await?;
    for changes in &workload.events_before {
        running.process(&event_of(changes)).await?;
    }
    let events: Vec<_> = workload.events.iter().map(|changes| event_of(changes)).collect();
    let mut took = Duration::ZERO;
    for event in &events {
        took += running.process(event).await?;
    }
    let lines = running.end().await?;
    let timed = lines.get(workload.events_before.len()..).unwrap_or_default();
    if timed.len() != events.len() {
        return Err(BenchError::State { what: "a function did not tell of each event" });
    }
    Ok(Run {
        record_count: timed.iter().map(|line| line.record_count).sum(),
        took,
        write_units: timed.iter().map(|line| line.write_units).sum(),
        miscounted: miscounted(&engine, workload).await?,
    })
}

async fn run_floor(floor: &Floor, what: What, workload: &Workload) -> Result<Run, BenchError> {
    let run = floor.run(what).await?;
    Ok(Run {
        record_count: workload.events.iter().map(Vec::len).sum(),
        took: run.took,
        write_units: run.write_units,
        miscounted: None,
    })
}

/// By how much the counts differ from what they should be.
async fn miscounted(engine: &Engine, workload: &Workload) -> Result<Option<i64>, BenchError> {
    let mut expected = workload.expected_counts();
    if expected.is_empty() {
        return Ok(None);
    }
    let mut difference = 0;
    for (genre, count) in engine.counts().await? {
        difference += (count - expected.remove(&genre).unwrap_or_default()).abs();
    }
    Ok(Some(difference + expected.into_values().map(i64::abs).sum::<i64>()))
}

/// The runs of all four, in their order.
#[derive(Debug, Default)]
struct Runs {
    afterimage: Vec<Run>,
    python: Vec<Run>,
    floor: Vec<Run>,
    whole_floor: Vec<Run>,
}

impl Run {
    fn records_per_second(&self) -> f64 {
        number(self.record_count) / self.took.as_secs_f64()
    }
}

impl Runs {
    fn compare(&self, kind: Kind) -> Option<Throughput> {
        // How many times more records a second than the other, turn by turn.
        let ratio = |one: &[Run], other: &[Run]| {
            let pairs = one.iter().zip(other);
            let ratios =
                pairs.map(|(one, other)| one.records_per_second() / other.records_per_second());
            Spread::of(&ratios.collect::<Vec<_>>())
        };
        let python_ratio = ratio(&self.afterimage, &self.python)?;
        let floor_ratio = ratio(&self.floor, &self.afterimage)?;
        let python_min = match kind {
            Kind::HotGroup => Some(100.0),
            Kind::ManyGroups => Some(8.0),
            Kind::NewAlbums | Kind::GenreChanges | Kind::Duplicates => None,
        };
        let name = kind.name();
        let mut targets: Vec<_> = python_min
            .map(|min| {
                let what = format!("{name}, times the records a second of Python");
                Target::at_least(&what, python_ratio.median, min)
            })
            .into_iter()
            .collect();
        let what = format!("{name}, times the time of the floor");
        targets.push(Target::at_most(&what, floor_ratio.median, FLOOR_RATIO_MAX));
        Some(Throughput {
            kind,
            afterimage: rate(&self.afterimage)?,
            python: rate(&self.python)?,
            floor: rate(&self.floor)?,
            whole_floor: rate(&self.whole_floor)?,
            python_ratio,
            floor_ratio,
            whole_floor_ratio: ratio(&self.whole_floor, &self.afterimage)?,
            targets,
        })
    }
}

fn rate(runs: &[Run]) -> Option<Rate> {
    let last = runs.last()?;
    Some(Rate {
        record_count: last.record_count,
        records_per_second: Spread::of(
            &runs.iter().map(Run::records_per_second).collect::<Vec<_>>(),
        )?,
        write_units_per_record: last.write_units / number(last.record_count),
        miscounted: last.miscounted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(record_count: usize, took_ms: u64) -> Run {
        let took = Duration::from_millis(took_ms);
        Run { record_count, took, write_units: number(record_count) * 2.0, miscounted: None }
    }

    #[test]
    fn a_function_is_compared_by_its_records_and_the_floor_by_its_time() {
        let runs = Runs {
            afterimage: vec![run(1000, 1000), run(1000, 2000)],
            python: vec![run(10, 1000), run(10, 1000)],
            floor: vec![run(1000, 500), run(1000, 1000)],
            whole_floor: vec![run(1000, 800), run(1000, 1600)],
        };
        let found = runs.compare(Kind::HotGroup).expect("runs");
        assert_eq!((found.python_ratio.min, found.python_ratio.max), (50.0, 100.0));
        assert_eq!((found.floor_ratio.median, found.whole_floor_ratio.median), (2.0, 1.25));
        assert_eq!(found.afterimage.write_units_per_record, 2.0);
        let met: Vec<_> = found.targets.iter().map(|target| target.is_met).collect();
        assert_eq!(met, [false, false]);
    }
}
