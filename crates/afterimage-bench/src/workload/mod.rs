//! Workloads: what is in place before, and which records come.

pub mod album;
mod definition;
mod duplicates;
mod genre_changes;
mod hot_group;
mod many_groups;
pub mod message;
mod new_albums;
pub mod record;

pub use definition::{ALBUMS, MESSAGES, Size, SourceItem, Workload};

use clap::ValueEnum;
use serde::Serialize;

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
