//! The events that are asked for, as they are printed.

use time::OffsetDateTime;

use super::event::{Event, Selection};
use crate::output::{Format, Output};

/// Prints the events that are asked for.
pub(super) struct Printer {
    pub(super) output: Output,
    pub(super) format: Format,
    pub(super) selection: Selection,
    pub(super) from: OffsetDateTime,
}

impl Printer {
    /// Prints a line of the log, if it is asked for.
    pub(super) fn line(&mut self, line: &str) -> std::io::Result<()> {
        let event = Event::parse(line);
        let is_old = event.timestamp().is_some_and(|at| at < self.from);
        if is_old { Ok(()) } else { self.event(event) }
    }

    /// Prints an event, if it is asked for.
    pub(super) fn event(&mut self, event: Event) -> std::io::Result<()> {
        if !self.selection.takes(&event) {
            return Ok(());
        }
        match self.format {
            Format::Table => self.output.line(&event.to_string()),
            Format::Json => self.output.json(&event.into_json()),
        }
    }

    /// Shows what was printed so far.
    pub(super) fn flush(&mut self) -> std::io::Result<()> {
        self.output.flush()
    }
}
