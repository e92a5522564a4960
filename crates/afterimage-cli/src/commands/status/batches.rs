//! What the local stack or the log reports about batches.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What became of batches, by view.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Batches {
    #[serde(rename = "views")]
    pub outcomes: BTreeMap<String, BTreeMap<String, u64>>,
    pub lag_ms: BTreeMap<String, i64>,
}

impl Batches {
    /// None where no record of the view came.
    pub(super) fn outcomes_of(&self, view: &str) -> BTreeMap<String, u64> {
        self.outcomes.get(view).cloned().unwrap_or_default()
    }
}
