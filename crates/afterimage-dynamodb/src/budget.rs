//! The time that a batch has, and how it is spent on waiting.

use std::time::Duration;

use dynamodb_client::Backoff;
use tokio::time::Instant;

/// The share of the time left that is kept for reporting: one part in so many.
const RESERVE_SHARE: u32 = 10;

/// The most that is kept for reporting.
const RESERVE_MAX: Duration = Duration::from_secs(1);

/// The first wait after contention; it doubles each time, and is drawn at random below that.
const BACKOFF_FIRST: Duration = Duration::from_millis(20);

/// The longest wait for an answer.
const BACKOFF_MAX: Duration = Duration::from_secs(1);

/// How often a request is repeated.
const REPETITION_COUNT_MAX: u32 = 12;

/// The longest wait for others who are at the same items. A transaction of 100 actions holds them for some ten
/// milliseconds: who waits much longer finds them held by somebody else again.
const CONTENTION_BACKOFF_MAX: Duration = Duration::from_millis(400);

/// The time that a batch may take: it stops before the deadline, early enough to report.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Budget {
    stop_at: Instant,
}

impl Budget {
    pub(crate) fn until(deadline: Instant) -> Self {
        let left = deadline.saturating_duration_since(Instant::now());
        Self { stop_at: deadline - (left / RESERVE_SHARE).min(RESERVE_MAX) }
    }

    pub(crate) fn is_spent(&self) -> bool {
        Instant::now() >= self.stop_at
    }

    /// What the future gives, or `None` where the time ends first.
    pub(crate) async fn within<T>(&self, future: impl Future<Output = T>) -> Option<T> {
        tokio::time::timeout_at(self.stop_at, future).await.ok()
    }

    /// Waits within this time, as often as a request is repeated.
    pub(crate) fn backoff(&self) -> Backoff {
        Backoff::new(BACKOFF_FIRST, BACKOFF_MAX, REPETITION_COUNT_MAX).until(self.stop_at)
    }

    /// Waits for others who are at the same items, as long as there is time: a batch that gave up would come again,
    /// and find them there again.
    pub(crate) fn contention_backoff(&self) -> Backoff {
        Backoff::new(BACKOFF_FIRST, CONTENTION_BACKOFF_MAX, u32::MAX).until(self.stop_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_budget_ends_before_the_deadline() {
        let budget = Budget::until(Instant::now() + Duration::from_millis(200));
        assert!(!budget.is_spent());
        assert_eq!(budget.within(std::future::pending::<()>()).await, None);
        assert!(budget.is_spent());
        let past = Budget::until(Instant::now());
        assert!(past.is_spent());
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_is_bounded_in_number_and_by_the_budget() {
        let budget = Budget::until(Instant::now() + Duration::from_secs(900));
        let mut backoff = budget.backoff();
        let mut wait_count = 0;
        while backoff.wait().await {
            wait_count += 1;
        }
        assert_eq!(wait_count, REPETITION_COUNT_MAX);
        let spent = Budget::until(Instant::now());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(!spent.backoff().wait().await);
    }
}
