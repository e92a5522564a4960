//! Shrinks a schedule that fails to one that is short enough to read.

use crate::canary::Canary;
use crate::dynamodb::{FaultRates, TransactionTime};
use crate::run::{RunError, run};
use crate::schedule::Schedule;

/// Schedules that are tried while shrinking, at most.
const TRIALS_MAX: usize = 600;

/// A schedule that violates the same invariant with as little as possible.
///
/// # Errors
/// [`RunError`] where the simulation itself fails.
pub fn shrink(schedule: &Schedule, canary: Option<Canary>) -> Result<Schedule, RunError> {
    let invariant = run(schedule, canary, false)?.violation.map(|it| it.invariant);
    let mut shrinking = Shrinking { best: schedule.clone(), canary, invariant, trials: 0 };
    shrinking.calm()?;
    shrinking.shorten(|schedule| &mut schedule.before)?;
    shrinking.shorten(|schedule| &mut schedule.steps)?;
    shrinking.calm()?;
    Ok(shrinking.best)
}

struct Shrinking {
    best: Schedule,
    canary: Option<Canary>,
    invariant: Option<&'static str>,
    trials: usize,
}

impl Shrinking {
    /// Takes a schedule over the best one, if it fails in the same way.
    fn attempt(&mut self, schedule: Schedule) -> Result<bool, RunError> {
        if self.trials >= TRIALS_MAX {
            return Ok(false);
        }
        self.trials += 1;
        let violation = run(&schedule, self.canary, false)?.violation;
        let is_kept = violation.is_some_and(|it| Some(it.invariant) == self.invariant);
        if is_kept {
            self.best = schedule;
        }
        Ok(is_kept)
    }

    /// Tries without faults, without delays, and with a simple mapping.
    fn calm(&mut self) -> Result<(), RunError> {
        let calm = [
            Schedule { rates: FaultRates::NONE, ..self.best.clone() },
            Schedule { rates: FaultRates { per_mille: 0, ..self.best.rates }, ..self.best.clone() },
            Schedule {
                rates: FaultRates { transaction_time: TransactionTime::NONE, ..self.best.rates },
                ..self.best.clone()
            },
            Schedule { lanes_per_shard: 1, bisects: false, ..self.best.clone() },
        ];
        for schedule in calm {
            if self.attempt(schedule)? {
                break;
            }
        }
        Ok(())
    }

    /// Leaves out parts of a list, large ones first.
    fn shorten<T: Clone>(
        &mut self,
        list: impl Fn(&mut Schedule) -> &mut Vec<T>,
    ) -> Result<(), RunError> {
        let mut size = list(&mut self.best.clone()).len().div_ceil(2);
        while size > 0 {
            let mut start = 0;
            loop {
                let mut shorter = self.best.clone();
                let steps = list(&mut shorter);
                if start >= steps.len() {
                    break;
                }
                steps.drain(start..(start + size).min(steps.len()));
                if !self.attempt(shorter)? {
                    start += size;
                }
            }
            size /= 2;
        }
        Ok(())
    }
}
