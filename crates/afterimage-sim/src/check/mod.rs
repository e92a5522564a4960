//! What has to hold: at every moment, and once everything is drained.

mod drained;
mod moment;

pub use drained::check_drained;
pub use moment::Moment;

use std::fmt;

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// Which one, as the design has it.
    pub invariant: &'static str,
    /// What was found.
    pub what: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.invariant, self.what)
    }
}
