//! Deliberate faults of the service or the engine's edge: each must lead to a violation, or the
//! model sees nothing.

/// What is deliberately wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sabotage {
    /// Nothing.
    #[default]
    None,
    /// Ledger entries are put whatever stands there.
    LedgerConditionsIgnored,
    /// Rows are deleted whatever they hold by then.
    RowDeleteConditionsIgnored,
    /// Heads are put whatever stands there.
    HeadConditionsIgnored,
    /// Registered keys at which a row is gone are dropped unchecked.
    ChecksIgnored,
    /// A transaction is written in two halves, one after the other.
    TransactionsTorn,
    /// A tombstone in the ledger is gone at once.
    TombstonesForgotten,
    /// Conditions fail, and the engine is told that they held.
    RefusalsHidden,
    /// A batch is acknowledged when it begins.
    AcknowledgedEarly,
    /// A record is reported as parked before it is.
    ParkedOnPaper,
    /// Consistent reads are answered from the beginning of time.
    ReadsLag,
}
