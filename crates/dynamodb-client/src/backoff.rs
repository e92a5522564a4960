//! Waiting before a request is tried again.

use std::time::Duration;

use tokio::time::Instant;

/// A bounded number of waits. The ceiling of a wait doubles with each, and the wait is drawn at random
/// below it, so that writers who met once do not meet again
/// (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
#[derive(Debug, Clone)]
pub struct Backoff {
    ceiling: Duration,
    ceiling_max: Duration,
    waits_left: u32,
    deadline: Option<Instant>,
}

impl Backoff {
    /// At most `waits_max` waits: the first below `first`, none above `longest`.
    #[must_use]
    pub const fn new(first: Duration, longest: Duration, waits_max: u32) -> Self {
        Self { ceiling: first, ceiling_max: longest, waits_left: waits_max, deadline: None }
    }

    /// The same, with no wait that ends after the deadline.
    #[must_use]
    pub const fn until(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Waits before another attempt. Says `false` at once where there should be none: the waits are used
    /// up, or the next would pass the deadline.
    pub async fn wait(&mut self) -> bool {
        let Some(delay) = self.next_delay(fastrand::f64) else {
            return false;
        };
        let end = Instant::now() + delay;
        if self.deadline.is_some_and(|deadline| end > deadline) {
            return false;
        }
        tokio::time::sleep_until(end).await;
        true
    }

    /// The next wait, from a draw between 0 and 1; `None` where the waits are used up.
    fn next_delay(&mut self, draw: impl FnOnce() -> f64) -> Option<Duration> {
        self.waits_left = self.waits_left.checked_sub(1)?;
        let delay = self.ceiling.min(self.ceiling_max).mul_f64(draw());
        self.ceiling = self.ceiling.saturating_mul(2);
        Some(delay)
    }
}

/// A pause drawn at random below `longest`.
#[must_use]
pub fn jitter(longest: Duration) -> Duration {
    longest.mul_f64(fastrand::f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_secs(1);

    #[test]
    fn the_ceiling_doubles_up_to_the_longest_wait() {
        let mut backoff = Backoff::new(FIRST, LONGEST, 8);
        let waits = std::iter::from_fn(|| backoff.next_delay(|| 1.0));
        let waits: Vec<_> = waits.map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [20, 40, 80, 160, 320, 640, 1_000, 1_000]);
    }

    #[test]
    fn a_wait_is_the_drawn_share_of_its_ceiling() {
        let mut backoff = Backoff::new(FIRST, LONGEST, 3);
        assert_eq!(backoff.next_delay(|| 0.0), Some(Duration::ZERO));
        assert_eq!(backoff.next_delay(|| 0.5), Some(Duration::from_millis(20)));
        assert_eq!(backoff.next_delay(|| 0.25), Some(Duration::from_millis(20)));
        assert_eq!(backoff.next_delay(|| 0.25), None);
    }

    #[test]
    fn a_ceiling_never_overflows() {
        let mut backoff = Backoff::new(FIRST, LONGEST, u32::MAX);
        let waits = std::iter::from_fn(|| backoff.next_delay(|| 1.0));
        assert_eq!(waits.take(10_000).last(), Some(LONGEST));
    }

    #[tokio::test(start_paused = true)]
    async fn waits_are_bounded_in_number_and_length() {
        let mut backoff = Backoff::new(FIRST, LONGEST, 12);
        let (begin, mut wait_count) = (Instant::now(), 0);
        while backoff.wait().await {
            wait_count += 1;
        }
        assert_eq!(wait_count, 12);
        // 20 ms, doubled five times, and six times the longest; tokio's clock has whole milliseconds.
        assert!(begin.elapsed() <= Duration::from_millis(1_260 + 6_000 + 12));
    }

    #[tokio::test(start_paused = true)]
    async fn two_who_met_do_not_wait_alike() {
        let mut totals = std::collections::BTreeSet::new();
        for _ in 0..8 {
            let (begin, mut backoff) = (Instant::now(), Backoff::new(FIRST, LONGEST, 12));
            while backoff.wait().await {}
            totals.insert(begin.elapsed());
        }
        assert!(totals.len() > 1, "{totals:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn no_wait_passes_the_deadline() {
        let deadline = Instant::now() + Duration::from_millis(300);
        let mut backoff = Backoff::new(LONGEST, LONGEST, u32::MAX).until(deadline);
        while backoff.wait().await {}
        // A millisecond is what tokio's clock rounds up by.
        assert!(Instant::now() <= deadline + Duration::from_millis(1));
        tokio::time::advance(Duration::from_millis(302)).await;
        assert!(!backoff.wait().await);
    }
}
