//! What became of a record in a view.

use std::fmt;

/// What became of one record in one view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Its effect is committed.
    Applied,
    /// A newer record of the same batch took its place, and its fate.
    Coalesced,
    /// It, or a newer record of the same item, was applied before.
    Duplicate,
    /// The group already follows a newer source item.
    Stale,
    /// The view does not want it: a removal under `skip`, not selected, or the echo of an own write.
    Skipped,
    /// It can never be applied, and is kept with its payload and reason.
    Parked,
    /// It may succeed later, and has to be delivered again.
    Failed,
}

impl Outcome {
    /// Every outcome, in the order in which reports list them.
    pub const ALL: [Outcome; 7] = [
        Outcome::Applied,
        Outcome::Coalesced,
        Outcome::Duplicate,
        Outcome::Stale,
        Outcome::Skipped,
        Outcome::Parked,
        Outcome::Failed,
    ];

    /// The name in logs, reports and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Coalesced => "coalesced",
            Outcome::Duplicate => "duplicate",
            Outcome::Stale => "stale",
            Outcome::Skipped => "skipped",
            Outcome::Parked => "parked",
            Outcome::Failed => "failed",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
