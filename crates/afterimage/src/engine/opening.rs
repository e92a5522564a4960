//! What a view makes of the records of a batch before anything is read.

use super::task::Task;
use crate::outcome::Outcome;
use crate::record::Record;

/// A record on its way through a batch.
#[derive(Debug, Clone, Copy)]
pub struct Routed<'a> {
    /// The record's place in the event.
    pub index: usize,
    /// The record.
    pub record: &'a Record,
}

/// What a view makes of a batch: outcomes that are already decided, and the work that is left.
#[derive(Debug)]
pub struct Opening {
    /// Decided without reading anything: records that are skipped, or superseded within the batch.
    pub settled: Vec<Settled>,
    /// The work that is left.
    pub tasks: Vec<Box<dyn Task>>,
}

/// An outcome that is decided when a batch is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// The record has this outcome.
    Outcome {
        /// The record's place in the event.
        index: usize,
        /// Its outcome.
        outcome: Outcome,
    },
    /// The record is superseded by a newer one of the batch, and shares its fate.
    Coalesced {
        /// The record's place in the event.
        index: usize,
        /// The place of the newer record.
        by: usize,
    },
}
