//! Scenarios: what the application does, and how far the consequences are explored.

mod definition;
mod head;
mod ledger;

pub use definition::{Change, Genre, Scenario};

/// Every scenario, the ledger's first.
pub static SCENARIOS: [&Scenario; 18] = [
    &ledger::ONE_ALBUM,
    &ledger::ONE_GENRE,
    &ledger::LATE_INSERT,
    &ledger::GENRES_CROSSED,
    &ledger::PARKED,
    &head::MESSAGE_AND_ROW,
    &head::OUT_OF_ORDER,
    &head::EDITED_NEWEST,
    &head::JOINS_AHEAD,
    &head::LEAVES,
    &head::LEAVES_AND_RETURNS,
    &head::RETURNS_IN_PLACE,
    &head::EQUAL_TIMES,
    &head::ROW_EDITED,
    &head::ATTRIBUTE_REMOVED,
    &head::STALE_INDEX,
    &head::OLDER_THAN_STREAM,
    &head::DELETED_NEWEST,
];

impl Scenario {
    /// The scenario of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Scenario> {
        SCENARIOS.iter().copied().find(|scenario| scenario.name == name)
    }
}
