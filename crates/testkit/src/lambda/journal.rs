//! What happened, in its order.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Something that a function did, or that was done to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moment {
    /// It opened a connection to DynamoDB.
    Connected,
    /// It called this operation of DynamoDB.
    Called(String),
    /// It asked for the next event: its start is over, or the event before is done with.
    AskedForEvent,
    /// It was given an event.
    GotEvent,
    /// It answered an event.
    Responded,
    /// It reported that an event failed.
    Failed,
    /// It reported that it cannot start.
    FailedToStart,
}

/// The moments of a function and its DynamoDB.
#[derive(Debug, Clone, Default)]
pub struct Journal {
    moments: Arc<Mutex<Vec<Moment>>>,
}

impl Journal {
    pub(crate) fn write(&self, moment: Moment) {
        self.lock().push(moment);
    }

    /// All moments so far.
    #[must_use]
    pub fn moments(&self) -> Vec<Moment> {
        self.lock().clone()
    }

    /// How often this happened so far.
    #[must_use]
    pub fn count(&self, moment: &Moment) -> usize {
        self.lock().iter().filter(|it| *it == moment).count()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Moment>> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
