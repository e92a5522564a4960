//! Reasons, as parked records keep them.

use std::error::Error;

/// An error with its sources, as one sentence without item contents.
#[must_use]
pub fn reason(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    text
}
