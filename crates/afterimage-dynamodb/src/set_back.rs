//! What sets a task back.

use afterimage::engine::{Committed, Refusal};

/// Why a task could not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum SetBack {
    /// What was read had changed.
    #[error("other writers changed the same items")]
    Changed,
    /// Another transaction was at the same items.
    #[error("other transactions held the same items")]
    Contended,
    /// A table had no capacity.
    #[error("the tables had no capacity")]
    Throttled,
    /// Responses were lost.
    #[error("DynamoDB did not say whether it had committed")]
    Unknown,
}

impl SetBack {
    /// What set a commit back; `None` if it was committed, or can never be.
    pub(crate) const fn of(end: &Committed) -> Option<Self> {
        match end {
            Ok(()) | Err(Refusal::Invalid(_)) => None,
            Err(Refusal::Changed(_)) => Some(Self::Changed),
            Err(Refusal::Contended) => Some(Self::Contended),
            Err(Refusal::Throttled) => Some(Self::Throttled),
            Err(Refusal::Unknown) => Some(Self::Unknown),
        }
    }
}
