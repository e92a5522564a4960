//! What a batch consumes.

use std::sync::Mutex;

use aws_sdk_dynamodb::types::ConsumedCapacity;

/// Capacity units and setbacks of one batch
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html>).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Consumption {
    /// Read units.
    pub read_units: f64,
    /// Write units.
    pub write_units: f64,
    /// Transactions that were committed.
    pub transaction_count: u64,
    /// Transactions that were refused because what they rest on had changed.
    pub conflict_count: u64,
    /// Requests that met contention, throttling or an unknown end.
    pub retry_count: u64,
}

impl Consumption {
    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            read_units: self.read_units + other.read_units,
            write_units: self.write_units + other.write_units,
            transaction_count: self.transaction_count + other.transaction_count,
            conflict_count: self.conflict_count + other.conflict_count,
            retry_count: self.retry_count + other.retry_count,
        }
    }
}

/// Adds up what a batch consumes.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    consumption: Mutex<Consumption>,
}

impl Meter {
    pub(crate) fn consumption(&self) -> Consumption {
        *self.lock()
    }

    pub(crate) fn read(&self, consumed: &[ConsumedCapacity]) {
        self.lock().read_units += units(consumed);
    }

    pub(crate) fn written(&self, consumed: &[ConsumedCapacity]) {
        self.lock().write_units += units(consumed);
    }

    pub(crate) fn committed(&self) {
        self.lock().transaction_count += 1;
    }

    pub(crate) fn conflicted(&self) {
        self.lock().conflict_count += 1;
    }

    pub(crate) fn retried(&self) {
        self.lock().retry_count += 1;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Consumption> {
        // Plain numbers are whole even after a panic elsewhere.
        self.consumption.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn units(consumed: &[ConsumedCapacity]) -> f64 {
    consumed.iter().filter_map(ConsumedCapacity::capacity_units).sum()
}
