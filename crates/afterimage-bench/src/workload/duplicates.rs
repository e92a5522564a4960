//! New albums, 30 of 100 records being delivered again: half of them within their event or the one
//! before, half from anywhere before.

use super::album;
use super::definition::{Size, Workload, events, wide};

/// Albums that are there.
const ALBUM_COUNT_BEFORE: u64 = 300;

/// Of ten records, those that are new.
const NEW_OF_TEN: u64 = 7;

pub(super) fn workload(size: Size) -> Workload {
    let changes = (0..wide(size.record_count())).map(|place| album::inserted(number(place)));
    Workload {
        items: Vec::new(),
        events_before: vec![(0..ALBUM_COUNT_BEFORE).map(album::inserted).collect()],
        events: events(changes, size),
    }
}

/// Which album's record comes at this place.
fn number(place: u64) -> u64 {
    let (tens, place_of_ten) = (place / 10, place % 10);
    let new_count = ALBUM_COUNT_BEFORE + tens * NEW_OF_TEN;
    if place_of_ten < NEW_OF_TEN {
        return new_count + place_of_ten;
    }
    let seen_count = new_count + NEW_OF_TEN;
    if tens % 2 == 0 {
        // A near one: among the last hundred.
        seen_count - 1 - (place.wrapping_mul(31) % 100)
    } else {
        place.wrapping_mul(7919) % seen_count
    }
}
