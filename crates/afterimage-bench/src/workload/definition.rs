//! What a workload is.

use std::collections::BTreeMap;

use afterimage_schema::Table;
use serde::Serialize;

use super::record::SourceChange;

/// The table of the albums of the product's views.
pub const ALBUMS: Table = Table::literal("albums");

/// The table of the messages and rows of the product's views.
pub const MESSAGES: Table = Table::literal("messages");

/// An item that the application put, its attributes all texts.
pub type SourceItem = (Table, BTreeMap<String, String>);

/// How much of a workload is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Size {
    /// Events.
    pub event_count: usize,
    /// Records of each event.
    pub records_per_event: usize,
}

impl Size {
    /// Records in all.
    #[must_use]
    pub fn record_count(self) -> usize {
        self.event_count * self.records_per_event
    }
}

/// A workload of some size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Items that are put at first, untimed.
    pub items: Vec<SourceItem>,
    /// Events that are processed then, untimed: they leave the state that the workload begins with.
    pub events_before: Vec<Vec<SourceChange>>,
    /// The events that are timed.
    pub events: Vec<Vec<SourceChange>>,
}

impl Workload {
    /// The counts that its album records must leave: each album in the genre of its newest record.
    #[must_use]
    pub fn expected_counts(&self) -> BTreeMap<String, i64> {
        let mut genres: BTreeMap<(&str, &str), (u64, &str)> = BTreeMap::new();
        let mut counts: BTreeMap<String, i64> = BTreeMap::new();
        let changes = self.events_before.iter().chain(&self.events).flatten();
        for change in changes.filter(|change| change.table == ALBUMS) {
            let text = |wanted| {
                let found = change.after.iter().find(|(name, _)| *name == wanted);
                found.map_or("", |(_, text)| text.as_str())
            };
            for attributes in change.before.iter().chain([&change.after]) {
                let genre = attributes.iter().find(|(name, _)| *name == "Genre");
                // A genre that an album left has a count as well, of nothing.
                genre.map(|(_, genre)| counts.entry(genre.clone()).or_insert(0));
            }
            let newest = genres.entry((text("Artist"), text("Album"))).or_default();
            *newest = (*newest).max((change.number + 1, text("Genre")));
        }
        for (_, genre) in genres.values() {
            *counts.entry((*genre).to_owned()).or_insert(0) += 1;
        }
        counts
    }
}

/// The events of these changes, in their order.
pub(super) fn events(
    changes: impl Iterator<Item = SourceChange>,
    size: Size,
) -> Vec<Vec<SourceChange>> {
    let changes: Vec<_> = changes.take(size.record_count()).collect();
    changes.chunks(size.records_per_event.max(1)).map(<[SourceChange]>::to_vec).collect()
}

/// A count as a record's number.
pub(super) fn wide(count: usize) -> u64 {
    count as u64
}
