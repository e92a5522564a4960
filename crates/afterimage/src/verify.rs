//! Verification: derived items compared with the fold of the source table, while writes go on.
//!
//! A first look reads everything once and keeps what it saw by group and by row, never by item. It
//! cannot be wrong about what agrees, and it can about what differs, since it is no snapshot. So a
//! difference is looked at again, one by one, and counts only if it stands still: what is read and
//! when is the engine's business, what it means is decided here.

mod count;
mod latest;
mod result;

pub use count::{
    CountAudit, CountDifference, CountQuestion, CountSight, CountTrial, CountVerdict,
    LedgerReading, Look, LookLimits, ParkedSight, Verdict,
};
pub use latest::{
    FaultSubject, HeadSight, LatestAudit, LatestParked, RowSight, Sight, SightFault, SourceSight,
};
pub use result::{ResultError, VerifyResult};

use sha2::{Digest as _, Sha256};

use crate::attribute_value::{Item, item_to_json};

/// Broken items that an audit remembers.
const BROKEN_MAX: usize = 1000;

/// A derived item that is not what the fold says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Drift {
    /// The derived item.
    pub item: String,
    /// What it should say.
    pub expected: String,
    /// What it says.
    pub found: String,
}

/// Whether parked records explain a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Explanation {
    /// One holds the item as it stands: it waits to be tried again.
    Explained,
    /// One is of the item, and does not say in which state: it holds no image.
    Unknown,
    /// None does.
    Unexplained,
}

/// Some bytes that are equal for equal items, and different for different ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(u128);

impl Digest {
    /// The digest of an item.
    #[must_use]
    pub fn of_item(item: &Item) -> Self {
        Self::of_parts(&[item_to_json(item).to_string().as_bytes()])
    }

    fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part);
        }
        let first = hasher.finalize().into_iter().take(16);
        Self(first.fold(0, |number, byte| (number << 8) | u128::from(byte)))
    }
}
