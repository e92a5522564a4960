//! When a task may commit again: after set-backs, and after it won an item that others want too.

use std::time::Duration;

use afterimage::engine::Committed;
use dynamodb_client::{Backoff, jitter};
use tokio::time::Instant;

use crate::budget::Budget;
use crate::set_back::SetBack;
use crate::store::StoreError;

/// The share of a commit's time below which the pause after it is drawn: long enough for somebody who waits to get
/// in now and then, short enough for the item to stay busy.
const PAUSE_SHARE: f64 = 0.2;

/// The pace of one task's commits. Each of those who contend for an item waits alike, whoever won it last: so all get
/// their turns, and the item is hardly ever idle.
#[derive(Debug)]
pub(crate) struct Pace {
    budget: Budget,
    /// The waits for others since the last commit that succeeded.
    contention: Backoff,
    /// The waits for capacity or an answer since then.
    repetition: Backoff,
    set_back_count: u32,
    is_contended: bool,
    /// The longest pause before the next commit.
    pause_max: Duration,
}

impl Pace {
    pub(crate) fn new(budget: Budget) -> Self {
        Self {
            budget,
            contention: budget.contention_backoff(),
            repetition: budget.backoff(),
            set_back_count: 0,
            is_contended: false,
            pause_max: Duration::ZERO,
        }
    }

    /// Takes how a round of commits ended, and how long it took. Waits if it was set back.
    ///
    /// # Errors
    /// [`StoreError::SetBack`] if the batch's time ends before the wait would, or if DynamoDB itself has set the task
    /// back too often in a row.
    pub(crate) async fn ended(
        &mut self,
        ends: &[Committed],
        took: Duration,
    ) -> Result<(), StoreError> {
        let set_backs: Vec<_> = ends.iter().filter_map(SetBack::of).collect();
        self.is_contended |= set_backs.contains(&SetBack::Contended);
        if ends.iter().any(Result::is_ok) {
            self.contention = self.budget.contention_backoff();
            self.repetition = self.budget.backoff();
            self.set_back_count = 0;
        }
        let is_won = self.is_contended && set_backs.is_empty();
        self.pause_max = if is_won { took.mul_f64(PAUSE_SHARE) } else { Duration::ZERO };
        let Some(cause) = set_backs.into_iter().min() else {
            return Ok(());
        };
        self.set_back_count += 1;
        let waits = match cause {
            SetBack::Changed | SetBack::Contended => &mut self.contention,
            SetBack::Throttled | SetBack::Unknown => &mut self.repetition,
        };
        if waits.wait().await {
            return Ok(());
        }
        Err(StoreError::SetBack { count: self.set_back_count, cause })
    }

    /// Pauses before a commit if the last one won a contended item.
    pub(crate) async fn begin(&mut self) {
        let pause = jitter(std::mem::take(&mut self.pause_max));
        if !pause.is_zero() {
            self.budget.within(tokio::time::sleep_until(Instant::now() + pause)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use afterimage::engine::Refusal;

    use super::*;

    const TOOK: Duration = Duration::from_millis(100);

    /// How long the pace waits, in milliseconds: after each of these rounds, and before the next.
    async fn waits(rounds: &[&[Committed]]) -> Vec<(u128, u128)> {
        let mut pace = Pace::new(Budget::until(Instant::now() + Duration::from_secs(60)));
        let mut waits = Vec::new();
        for ends in rounds {
            let begin = Instant::now();
            pace.ended(ends, TOOK).await.expect("there is time");
            let after = begin.elapsed().as_millis();
            pace.begin().await;
            waits.push((after, begin.elapsed().as_millis() - after));
        }
        waits
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_won_a_contended_item_pauses_and_others_do_not() {
        let (won, lost): (&[Committed], &[Committed]) = (&[Ok(())], &[Err(Refusal::Contended)]);
        assert_eq!(waits(&[won, won, won]).await, [(0, 0); 3]);
        let mut pauses = std::collections::BTreeSet::new();
        for _ in 0..20 {
            let waits = waits(&[lost, won]).await;
            let [(_, before_retry), (after_win, pause)] = waits.as_slice() else {
                panic!("two rounds")
            };
            assert_eq!((*before_retry, *after_win), (0, 0));
            // tokio's clock rounds up to whole milliseconds.
            assert!(*pause <= 21, "{pause} ms");
            pauses.insert(*pause);
        }
        assert!(pauses.len() > 1, "{pauses:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn the_last_set_back_says_what_stood_in_the_way() {
        for (end, expected) in [
            (Refusal::Changed(vec![0]), "other writers changed the same items"),
            (Refusal::Contended, "other transactions held the same items"),
            (Refusal::Throttled, "the tables had no capacity"),
            (Refusal::Unknown, "DynamoDB did not say whether it had committed"),
        ] {
            let mut pace = Pace::new(Budget::until(Instant::now() + Duration::from_secs(60)));
            let error = loop {
                if let Err(error) = pace.ended(&[Err(end.clone())], TOOK).await {
                    break error.to_string();
                }
            };
            assert!(error.starts_with("set back "), "{error}");
            assert!(error.ends_with(expected), "{error}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_invalid_write_is_no_reason_to_wait() {
        let invalid: &[Committed] = &[Err(Refusal::Invalid(vec![1]))];
        assert_eq!(waits(&[invalid, invalid]).await, [(0, 0); 2]);
    }
}
