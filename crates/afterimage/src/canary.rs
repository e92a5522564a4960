//! Bugs that are planted on purpose, to see that the simulation finds them.
//!
//! Without the feature `canary`, which only the simulation asks for, nothing can be planted, and the
//! compiler removes every trace of it.

use crate::write::Transaction;
#[cfg(feature = "canary")]
use crate::write::{Action, Write};

/// A bug that is planted on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// A record is applied whatever the ledger says of newer ones.
    NoVersionCheck,
    /// Sequence numbers are compared as texts, whatever their length.
    VersionsAsText,
    /// A moved row is deleted in one call and put in another.
    DeleteAndPutApart,
    /// The ledger is written in one call and the counts in another.
    LedgerApartFromCount,
    /// A ledger entry is put without a condition on what was read.
    LedgerWithoutCondition,
    /// A deleted item leaves nothing in the ledger.
    TombstoneForgotten,
    /// Rows that the index does not show are taken for absent.
    IndexTrusted,
    /// Items are read without asking for consistency.
    EventualReads,
    /// Keys that DynamoDB left unprocessed are taken for absent.
    UnprocessedForgotten,
    /// A row that already follows is written again when its own echo arrives.
    EchoNotRecognised,
    /// A head is put without a condition on what was read.
    HeadWithoutCondition,
    /// A moved row is deleted without a condition on what was read.
    RowDeletedBlindly,
    /// A record is reported as parked, and is not.
    ParkingForgotten,
    /// The record after the failed one is reported as failed.
    WrongRecordReported,
    /// A batch goes on after its deadline.
    DeadlineForgotten,
}

impl Canary {
    /// Every canary.
    pub const ALL: [Canary; 15] = [
        Canary::NoVersionCheck,
        Canary::VersionsAsText,
        Canary::DeleteAndPutApart,
        Canary::LedgerApartFromCount,
        Canary::LedgerWithoutCondition,
        Canary::TombstoneForgotten,
        Canary::IndexTrusted,
        Canary::EventualReads,
        Canary::UnprocessedForgotten,
        Canary::EchoNotRecognised,
        Canary::HeadWithoutCondition,
        Canary::RowDeletedBlindly,
        Canary::ParkingForgotten,
        Canary::WrongRecordReported,
        Canary::DeadlineForgotten,
    ];

    /// Its name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Canary::NoVersionCheck => "no-version-check",
            Canary::VersionsAsText => "versions-as-text",
            Canary::DeleteAndPutApart => "delete-and-put-apart",
            Canary::LedgerApartFromCount => "ledger-apart-from-count",
            Canary::LedgerWithoutCondition => "ledger-without-condition",
            Canary::TombstoneForgotten => "tombstone-forgotten",
            Canary::IndexTrusted => "index-trusted",
            Canary::EventualReads => "eventual-reads",
            Canary::UnprocessedForgotten => "unprocessed-forgotten",
            Canary::EchoNotRecognised => "echo-not-recognised",
            Canary::HeadWithoutCondition => "head-without-condition",
            Canary::RowDeletedBlindly => "row-deleted-blindly",
            Canary::ParkingForgotten => "parking-forgotten",
            Canary::WrongRecordReported => "wrong-record-reported",
            Canary::DeadlineForgotten => "deadline-forgotten",
        }
    }
}

#[cfg(feature = "canary")]
thread_local! {
    static PLANTED: std::cell::Cell<Option<Canary>> = const { std::cell::Cell::new(None) };
}

/// Plants a canary on this thread, in place of the one that was there.
#[cfg(feature = "canary")]
pub fn plant(canary: Option<Canary>) {
    PLANTED.set(canary);
}

/// Whether this canary is planted on this thread.
#[cfg(feature = "canary")]
#[must_use]
pub fn is_planted(canary: Canary) -> bool {
    PLANTED.get() == Some(canary)
}

/// Whether this canary is planted: never, without the feature.
#[cfg(not(feature = "canary"))]
#[must_use]
pub const fn is_planted(_canary: Canary) -> bool {
    false
}

/// The two calls that a planted canary makes of one transaction.
#[cfg(feature = "canary")]
#[must_use]
pub fn apart(transaction: &Transaction) -> Option<[Transaction; 2]> {
    let is_delete = |write: &Write| matches!(write.action, Action::Delete);
    let is_put = |write: &Write| matches!(write.action, Action::Put(_));
    let split = |is_first: &dyn Fn(&Write) -> bool| {
        let (first, second): (Vec<_>, Vec<_>) =
            transaction.writes.iter().cloned().partition(|write| is_first(write));
        let is_split = !first.is_empty() && !second.is_empty();
        is_split.then(|| [first, second].map(|writes| Transaction { writes }))
    };
    let is_of_counts = transaction
        .writes
        .iter()
        .any(|write| matches!(&write.action, Action::Update(changes) if !changes.add.is_empty()));
    if is_planted(Canary::DeleteAndPutApart) {
        split(&is_delete)
    } else if is_planted(Canary::LedgerApartFromCount) && is_of_counts {
        split(&is_put)
    } else {
        None
    }
}

/// The two calls that a planted canary makes of one transaction: none, without the feature.
#[cfg(not(feature = "canary"))]
#[must_use]
pub const fn apart(_transaction: &Transaction) -> Option<[Transaction; 2]> {
    None
}
