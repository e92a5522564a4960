//! Albums are added.

use super::album;
use super::definition::{Size, Workload, events};

/// Albums that are there: enough that every genre is counted already.
const ALBUM_COUNT_BEFORE: u64 = 300;

pub(super) fn workload(size: Size) -> Workload {
    Workload {
        items: Vec::new(),
        events_before: vec![(0..ALBUM_COUNT_BEFORE).map(album::inserted).collect()],
        events: events((ALBUM_COUNT_BEFORE..).map(album::inserted), size),
    }
}
