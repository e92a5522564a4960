//! Runs many schedules on several threads, until one fails.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::canary::Canary;
use crate::check::Violation;
use crate::run::{RunError, run};
use crate::schedule::Schedule;

/// Which schedules are run.
#[derive(Debug, Clone, Copy)]
pub struct Search {
    /// The first seed; the others follow it.
    pub first_seed: u64,
    /// How many.
    pub count: u64,
    /// On how many threads.
    pub threads: usize,
    /// The bug that is planted, if any.
    pub canary: Option<Canary>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Found {
    /// Schedules that were run.
    pub schedule_count: u64,
    /// Calls of the SDK in them.
    pub call_count: u64,
    /// Records that were delivered in them.
    pub record_count: u64,
    /// The most calls that a schedule made for each record that an invocation was given.
    pub calls_per_delivery_max: f64,
    /// How often each outcome was reported in them.
    pub outcomes: BTreeMap<&'static str, u64>,
    /// The first violation by seed, of those found before the others were stopped.
    pub violation: Option<(u64, Violation)>,
}

/// Runs the schedules, and stops soon after one fails; `tick` is called after each.
///
/// # Errors
/// [`RunError`] where the simulation itself fails.
pub fn search(wanted: &Search, tick: impl Fn() + Sync) -> Result<Found, RunError> {
    search_until(wanted, &AtomicBool::new(false), tick)
}

/// The same; whoever sets `is_over` ends it after the schedules in hand.
///
/// # Errors
/// [`RunError`] where the simulation itself fails.
pub fn search_until(
    wanted: &Search,
    is_over: &AtomicBool,
    tick: impl Fn() + Sync,
) -> Result<Found, RunError> {
    let next = AtomicU64::new(0);
    let found = Mutex::new(Found::default());
    let work = || -> Result<(), RunError> {
        while !is_over.load(Ordering::Relaxed) {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= wanted.count {
                break;
            }
            let seed = wanted.first_seed.wrapping_add(index);
            let verdict = run(&Schedule::of_seed(seed), wanted.canary, false);
            if verdict.as_ref().map_or(true, |verdict| verdict.violation.is_some()) {
                is_over.store(true, Ordering::Relaxed);
            }
            let verdict = verdict?;
            let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
            found.schedule_count += 1;
            found.call_count += verdict.call_count;
            found.record_count += verdict.record_count as u64;
            found.calls_per_delivery_max =
                found.calls_per_delivery_max.max(verdict.calls_per_delivery());
            for (outcome, count) in verdict.outcomes {
                *found.outcomes.entry(outcome).or_insert(0) += count;
            }
            if let Some(violation) = verdict.violation {
                let is_first = found.violation.as_ref().is_none_or(|(first, _)| seed < *first);
                if is_first {
                    found.violation = Some((seed, violation));
                }
            }
            tick();
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..wanted.threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().try_for_each(|thread| match thread.join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    })?;
    Ok(found.into_inner().unwrap_or_else(PoisonError::into_inner))
}
