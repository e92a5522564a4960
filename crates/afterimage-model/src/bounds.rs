//! How far a scenario is explored.

use std::fmt;

/// How much may happen in one run; everything within is explored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Processors at work at once.
    pub processors: usize,
    /// Records of a batch.
    pub batch: usize,
    /// Records delivered once more, while they are in hand or long after.
    pub duplicates: u8,
    /// Processors that die.
    pub crashes: u8,
    /// Commits without a response: applied at once, later, or never.
    pub lost: u8,
    /// Commits refused since another was at the same items.
    pub contended: u8,
    /// Whether items that a task reads together are read apart, in any order.
    pub reads_apart: bool,
}

/// Which of a scenario's bounds are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Those of the tests.
    Quick,
    /// Those of the command.
    Standard,
    /// Those of the command with `--deep`.
    Deep,
}

impl Bounds {
    /// Two processors, batches of two, and one fault in a run.
    pub const FEW: Bounds = Bounds {
        processors: 2,
        batch: 2,
        duplicates: 0,
        crashes: 1,
        lost: 0,
        contended: 0,
        reads_apart: false,
    };
}

impl fmt::Display for Bounds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "batch {}, dup {}, crash {}, lost {}, cont {}, reads {}",
            self.batch,
            self.duplicates,
            self.crashes,
            self.lost,
            self.contended,
            if self.reads_apart { "apart" } else { "together" },
        )
    }
}
