//! Albums get another genre, each once.

use crate::workload::ALBUMS;

use super::album;
use super::definition::{Size, Workload, events, wide};
use super::record::SourceChange;

/// How far away the album is whose genre an album gets.
const DISTANCE: u64 = 37;

pub(super) fn workload(size: Size) -> Workload {
    let album_count = wide(size.record_count());
    let albums = (0..album_count).map(album::inserted);
    let changes = (0..album_count).map(|number| SourceChange {
        table: ALBUMS,
        number: album_count + number,
        before: Some(album::attributes(number, album::genre(number))),
        after: album::attributes(number, other_genre(number)),
    });
    Workload {
        items: Vec::new(),
        events_before: events(albums, size),
        events: events(changes, size),
    }
}

/// The genre of the first album from there on that has another one.
fn other_genre(number: u64) -> &'static str {
    let mut genres = (number + DISTANCE..).map(album::genre);
    genres.find(|genre| *genre != album::genre(number)).unwrap_or("Rock")
}
