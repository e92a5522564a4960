//! All messages are of one conversation.

use super::definition::{Size, Workload, events};
use super::message;

pub(super) fn workload(size: Size) -> Workload {
    Workload {
        items: message::rows(0),
        events_before: vec![vec![message::posted(0, 0)]],
        events: events((1..).map(|number| message::posted(number, 0)), size),
    }
}
