//! The messages of 1,000 conversations, in turn: an event of 1,000 records has one of each.

use super::definition::{Size, Workload, events, wide};
use super::message::{self, GROUP_COUNT};

pub(super) fn workload(size: Size) -> Workload {
    // Those in which nobody writes are there all the same.
    let begun = wide(size.record_count()).clamp(1, GROUP_COUNT);
    let changes = (0..).map(|number| message::posted(GROUP_COUNT + number, number % GROUP_COUNT));
    Workload {
        items: (0..GROUP_COUNT).flat_map(message::rows).collect(),
        events_before: vec![(0..begun).map(|number| message::posted(number, number)).collect()],
        events: events(changes, size),
    }
}
