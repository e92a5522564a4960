//! Waiting before a write is tried again.

use std::time::Duration;

/// The longest wait before the first repetition; it doubles with every further one.
const FIRST_DELAY_MS: u64 = 50;

/// A bounded number of waits that grow and are jittered, so that writers who met once do not meet
/// again (<https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/>).
#[derive(Debug)]
pub struct Backoff {
    waits_left: u32,
    delay_ms_max: u64,
}

impl Backoff {
    /// At most this many waits: five take 1.5 seconds at most, eight 13 seconds.
    #[must_use]
    pub const fn new(waits_max: u32) -> Self {
        Self { waits_left: waits_max, delay_ms_max: FIRST_DELAY_MS }
    }

    /// Waits, or says `false` at once where the budget is used up.
    pub async fn wait(&mut self) -> bool {
        let Some(waits_left) = self.waits_left.checked_sub(1) else {
            return false;
        };
        let delay_ms = fastrand::u64(0..=self.delay_ms_max);
        self.waits_left = waits_left;
        self.delay_ms_max = self.delay_ms_max.saturating_mul(2);
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
        true
    }
}
