//! What a world is found to be.

/// What is wrong with a world, as sentences; nothing, as long as all is well.
#[derive(Debug, Clone, Default)]
pub(crate) struct Judgement {
    /// Rows that are missing, doubled, or not as the application left them.
    pub(crate) rows: Option<String>,
    /// Counts that are negative, or do not add up to the ledger.
    pub(crate) counts: Option<String>,
    /// Records of the stream whose effect, or a newer one's, is not in the tables, by identity.
    pub(crate) without_effect: Vec<u64>,
}
