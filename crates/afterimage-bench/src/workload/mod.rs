//! Workloads: what is in place before, and which records come.

pub mod album;
mod duplicates;
mod genre_changes;
mod hot_group;
mod many_groups;
pub mod message;
mod new_albums;
pub mod record;

use std::collections::BTreeMap;

use afterimage_schema::Table;
use clap::ValueEnum;
use serde::Serialize;

use record::SourceChange;

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

/// The kinds of workload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// All messages are of one conversation.
    HotGroup,
    /// The messages of 1,000 conversations.
    ManyGroups,
    /// Albums are added.
    NewAlbums,
    /// Albums get another genre.
    GenreChanges,
    /// New albums, 30 of 100 records being delivered again.
    Duplicates,
}

impl Kind {
    /// All, in the order of the tables.
    pub const ALL: [Self; 5] =
        [Self::HotGroup, Self::ManyGroups, Self::NewAlbums, Self::GenreChanges, Self::Duplicates];

    /// What the tables call it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Kind::HotGroup => "one hot group",
            Kind::ManyGroups => "1,000 groups",
            Kind::NewAlbums => "new albums",
            Kind::GenreChanges => "genre changes",
            Kind::Duplicates => "30 % duplicates",
        }
    }

    /// The workload of this kind and size.
    #[must_use]
    pub fn workload(self, size: Size) -> Workload {
        match self {
            Kind::HotGroup => hot_group::workload(size),
            Kind::ManyGroups => many_groups::workload(size),
            Kind::NewAlbums => new_albums::workload(size),
            Kind::GenreChanges => genre_changes::workload(size),
            Kind::Duplicates => duplicates::workload(size),
        }
    }
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
fn events(changes: impl Iterator<Item = SourceChange>, size: Size) -> Vec<Vec<SourceChange>> {
    let changes: Vec<_> = changes.take(size.record_count()).collect();
    changes.chunks(size.records_per_event.max(1)).map(<[SourceChange]>::to_vec).collect()
}

/// A count as a record's number.
fn wide(count: usize) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_of_each_albums_newest_genre() {
        let size = Size { event_count: 2, records_per_event: 100 };
        for kind in [Kind::NewAlbums, Kind::GenreChanges] {
            let workload = kind.workload(size);
            let album_count: i64 = workload.expected_counts().values().sum();
            let before: usize = workload.events_before.iter().map(Vec::len).sum();
            let expected = match kind {
                Kind::GenreChanges => before,
                _ => before + size.record_count(),
            };
            assert_eq!(album_count, i64::try_from(expected).expect("few"), "{kind:?}");
        }
    }

    #[test]
    fn each_workload_has_the_events_that_were_asked_for() {
        let size = Size { event_count: 3, records_per_event: 40 };
        for kind in Kind::ALL {
            let workload = kind.workload(size);
            let lengths: Vec<_> = workload.events.iter().map(Vec::len).collect();
            assert_eq!(lengths, [40; 3], "{kind:?}");
        }
    }

    #[test]
    fn three_of_ten_are_delivered_again() {
        let workload = Kind::Duplicates.workload(Size { event_count: 4, records_per_event: 1000 });
        let before = workload.events_before.iter().flatten().map(|it| it.number);
        let mut seen: std::collections::BTreeSet<u64> = before.collect();
        let records = workload.events.iter().flatten();
        let new_count = records.filter(|it| seen.insert(it.number)).count();
        assert_eq!(new_count, 2800);
    }
}
