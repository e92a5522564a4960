//! The stream-triggered Lambda: applies a batch, and tells what became of it in log lines that carry
//! metrics.

pub mod emf;
mod events;

use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};

use afterimage::{Outcome, reason};
use afterimage_dynamodb::{BatchReport, Processor, RecordReport, StreamEvent};
use tokio::time::Instant;

pub use events::{Invocation, lines};

/// Writes a line, and returns when it is written: a sandbox may be frozen right after the response.
pub type WriteLine = Box<dyn Fn(&str) -> io::Result<()> + Send + Sync>;

/// What Lambda tells beside the event.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The function's name.
    pub function_name: &'a str,
    /// Lambda's id of the request.
    pub request_id: &'a str,
    /// When Lambda gives it up.
    pub deadline: Instant,
}

/// The function: a processor, and where its lines go.
pub struct StreamProcessor {
    processor: Processor,
    write_line: WriteLine,
    is_warm: AtomicBool,
}

impl fmt::Debug for StreamProcessor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("StreamProcessor").field("processor", &self.processor).finish()
    }
}

impl StreamProcessor {
    /// A function that writes its lines there.
    #[must_use]
    pub fn new(processor: Processor, write_line: WriteLine) -> Self {
        Self { processor, write_line, is_warm: AtomicBool::new(false) }
    }

    /// Applies a batch before the deadline, and writes what became of it before it returns.
    pub async fn handle(&self, event: &StreamEvent, request: Request<'_>) -> BatchReport {
        let start = Instant::now();
        let is_cold_start = !self.is_warm.swap(true, Ordering::Relaxed);
        let report = self.processor.process(event, request.deadline).await;
        report.records.iter().filter(|record| record.is_failed()).for_each(tell_failed);
        let invocation = Invocation {
            function_name: request.function_name.to_owned(),
            request_id: request.request_id.to_owned(),
            is_cold_start,
            duration_ms: u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        for line in lines(&invocation, &report) {
            if let Err(error) = (self.write_line)(&line) {
                // The records are done all the same.
                tracing::error!(error = reason(&error), "metrics not written");
            }
        }
        report
    }
}

fn tell_failed(record: &RecordReport) {
    let failed = record.outcomes.iter().filter(|(_, outcome)| *outcome == Outcome::Failed);
    for (view, _) in failed {
        tracing::warn!(
            view,
            table = record.table_name,
            sequence_number = record.sequence_number,
            "record failed, to be delivered again"
        );
    }
}

/// Writes a line to standard output, which Lambda takes to CloudWatch.
///
/// # Errors
/// Where standard output is closed.
pub fn write_to_stdout(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    writeln!(stdout, "{line}")?;
    stdout.flush()
}
