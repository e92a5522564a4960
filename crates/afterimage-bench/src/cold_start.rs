//! Cold start: from the spawn of the process to its first request for an event, and to the response
//! to an event of one record, whose handling writes to DynamoDB. The event is sent as soon as it is
//! asked for. Program files are in the system's cache: an untimed start comes first.

use std::time::Instant;

use serde::Serialize;

use crate::BenchError;
use crate::engine::Engine;
use crate::functions::{Program, Programs};
use crate::progress::Progress;
use crate::report::Target;
use crate::statistics::Spread;
use crate::workload::album;
use crate::workload::record::event;

/// At most this long to the first write here.
const FIRST_WRITE_MS_MAX: f64 = 40.0;

/// At least this many times faster to the first write.
const FIRST_WRITE_RATIO_MIN: f64 = 10.0;

/// Both functions, and how they compare.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ColdStart {
    /// `stream-processor`.
    pub afterimage: Starts,
    /// The baseline.
    pub python: Starts,
    /// How many times faster `stream-processor` asks for its first event.
    pub ready_ratio: Spread,
    /// How many times faster it answers the first event.
    pub first_write_ratio: Spread,
    /// What was aimed at.
    pub targets: Vec<Target>,
}

/// The starts of one function.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Starts {
    /// From the spawn to the first request for an event, milliseconds.
    pub ready_ms: Spread,
    /// From the spawn to the response to the first event, milliseconds.
    pub first_write_ms: Spread,
}

/// What one start took, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Start {
    ready_ms: f64,
    first_write_ms: f64,
}

/// Starts both this many times, in turn.
///
/// # Errors
/// [`BenchError`] where one does not start or answer.
pub async fn measure(
    programs: &Programs,
    run_count: usize,
    progress: &Progress,
) -> Result<ColdStart, BenchError> {
    let engine = Engine::start().await?;
    let Programs { afterimage: rust, python } = programs;
    let mut numbers = 0..;
    let mut next_event = || event(&[album::inserted(numbers.next().unwrap_or(0)).to_json()]);
    start(rust, &engine, &next_event()).await?;
    start(python, &engine, &next_event()).await?;
    let (mut rust_starts, mut python_starts) = (Vec::new(), Vec::new());
    for run in 1..=run_count {
        progress.tell(&format!("cold start, {run} of {run_count}"));
        python_starts.push(start(python, &engine, &next_event()).await?);
        rust_starts.push(start(rust, &engine, &next_event()).await?);
    }
    compare(&rust_starts, &python_starts).ok_or(BenchError::State { what: "no start was measured" })
}

async fn start(program: &Program, engine: &Engine, event: &str) -> Result<Start, BenchError> {
    let clock = Instant::now();
    let mut running = program.start(engine).await?;
    running.ready().await;
    let ready = clock.elapsed();
    running.process(event).await?;
    let first_write = clock.elapsed();
    running.end().await?;
    Ok(Start {
        ready_ms: ready.as_secs_f64() * 1000.0,
        first_write_ms: first_write.as_secs_f64() * 1000.0,
    })
}

fn compare(rust: &[Start], python: &[Start]) -> Option<ColdStart> {
    let starts = |starts: &[Start]| {
        let of = |pick: fn(&Start) -> f64| Spread::of(&starts.iter().map(pick).collect::<Vec<_>>());
        Some(Starts {
            ready_ms: of(|it| it.ready_ms)?,
            first_write_ms: of(|it| it.first_write_ms)?,
        })
    };
    let ratio = |pick: fn(&Start) -> f64| {
        let pairs = rust.iter().zip(python);
        Spread::of(&pairs.map(|(rust, python)| pick(python) / pick(rust)).collect::<Vec<_>>())
    };
    let afterimage = starts(rust)?;
    let first_write_ratio = ratio(|it| it.first_write_ms)?;
    let targets = vec![
        Target::at_least(
            "cold start to the first write, times faster than Python",
            first_write_ratio.median,
            FIRST_WRITE_RATIO_MIN,
        ),
        Target::at_most(
            "cold start to the first write, ms",
            afterimage.first_write_ms.median,
            FIRST_WRITE_MS_MAX,
        ),
    ];
    let python = starts(python)?;
    let ready_ratio = ratio(|it| it.ready_ms)?;
    Some(ColdStart { afterimage, python, ready_ratio, first_write_ratio, targets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn starts_are_compared_pair_by_pair() {
        let start = |ready_ms, first_write_ms| Start { ready_ms, first_write_ms };
        let rust = [start(10.0, 20.0), start(10.0, 50.0), start(20.0, 40.0)];
        let python = [start(100.0, 400.0), start(200.0, 400.0), start(100.0, 400.0)];
        let found = compare(&rust, &python).expect("starts");
        assert_eq!((found.ready_ratio.median, found.first_write_ratio.median), (10.0, 10.0));
        assert_eq!(found.afterimage.first_write_ms.median, 40.0);
        assert!(found.targets.iter().all(|target| target.is_met));
        assert_eq!(compare(&[], &[]), None);
    }
}
