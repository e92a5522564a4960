//! How far the benchmark is, on standard error.
#![expect(clippy::print_stderr, reason = "a command line tells how far it is")]

use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How often the spinner moves.
const TICK: Duration = Duration::from_millis(120);

/// A line that changes on a terminal; a line for each step elsewhere.
#[derive(Debug)]
pub struct Progress {
    bar: Option<ProgressBar>,
}

impl Progress {
    /// For a terminal, or for a file.
    #[must_use]
    pub fn new() -> Self {
        let bar = std::io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar
        });
        Self { bar }
    }

    /// Tells what is done next. A terminal's processes may print meanwhile: the line does not move by
    /// itself until something is measured.
    pub fn tell(&self, step: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(step.to_owned()),
            None => eprintln!("{step}"),
        }
    }

    /// Moves the line while something is waited for that is not measured.
    pub fn waiting(&self, is_waiting: bool) {
        if let Some(bar) = &self.bar {
            if is_waiting {
                bar.enable_steady_tick(TICK);
            } else {
                bar.disable_steady_tick();
            }
        }
    }
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
