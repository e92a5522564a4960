//! Bugs that are planted on purpose, to see that the simulation finds them.
//!
//! Most are planted from outside: what passes between the engine and its surroundings is rewritten, so
//! that the engine does to its tables what it would do if it had the bug. Few have to be planted
//! inside.

use afterimage::canary::InnerCanary;

/// A bug that is planted on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canary {
    /// A record is applied whatever the ledger says of newer ones.
    NoVersionCheck,
    /// Sequence numbers are compared as texts, whatever their length: the stream has them so that
    /// their order as integers is that of the texts.
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
    /// A batch goes on after its deadline, because it gets a later one.
    DeadlineForgotten,
    /// A negative number is rendered without its sign: two groups become one, in the ledger as in the
    /// counts.
    GroupRenderedWrong,
}

impl Canary {
    /// Every canary.
    pub const ALL: [Canary; 16] = [
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
        Canary::GroupRenderedWrong,
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
            Canary::GroupRenderedWrong => "group-rendered-wrong",
        }
    }

    /// What is planted inside the engine; `None` for what is planted from outside.
    #[must_use]
    pub const fn inner(self) -> Option<InnerCanary> {
        match self {
            Canary::NoVersionCheck => Some(InnerCanary::NoVersionCheck),
            Canary::EchoNotRecognised => Some(InnerCanary::EchoNotRecognised),
            Canary::GroupRenderedWrong => Some(InnerCanary::GroupRenderedWrong),
            Canary::VersionsAsText
            | Canary::DeleteAndPutApart
            | Canary::LedgerApartFromCount
            | Canary::LedgerWithoutCondition
            | Canary::TombstoneForgotten
            | Canary::IndexTrusted
            | Canary::EventualReads
            | Canary::UnprocessedForgotten
            | Canary::HeadWithoutCondition
            | Canary::RowDeletedBlindly
            | Canary::ParkingForgotten
            | Canary::WrongRecordReported
            | Canary::DeadlineForgotten => None,
        }
    }
}
