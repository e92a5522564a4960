//! What the mappings have done and have in hand: counted where it happens, read at any time.

use std::sync::atomic::{AtomicU64, Ordering};

/// The counts of a trigger, in records, over all its mappings.
#[derive(Debug, Default)]
pub struct Counters {
    processed: AtomicU64,
    on_failure: AtomicU64,
    in_hand: AtomicU64,
}

impl Counters {
    /// How many records are done since the start, filtered ones left out.
    #[must_use]
    pub fn processed(&self) -> u64 {
        self.processed.load(Ordering::Relaxed)
    }

    /// How many records were given up and kept as on-failure records since the start.
    #[must_use]
    pub fn on_failure(&self) -> u64 {
        self.on_failure.load(Ordering::Relaxed)
    }

    /// How many records were read and have not moved their checkpoint yet: also those of a table that
    /// is gone, which no stream tells of any more.
    #[must_use]
    pub fn in_hand(&self) -> u64 {
        self.in_hand.load(Ordering::SeqCst)
    }

    pub(super) fn add_processed(&self, record_count: usize) {
        self.processed.fetch_add(record_count as u64, Ordering::Relaxed);
    }

    pub(super) fn add_on_failure(&self, record_count: usize) {
        self.on_failure.fetch_add(record_count as u64, Ordering::Relaxed);
    }

    pub(super) fn take_in_hand(&self, record_count: usize) {
        self.in_hand.fetch_add(record_count as u64, Ordering::SeqCst);
    }

    pub(super) fn let_go(&self, record_count: usize) {
        self.in_hand.fetch_sub(record_count as u64, Ordering::SeqCst);
    }
}
