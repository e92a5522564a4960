//! The stream-triggered Lambda: applies a batch, and tells what became of it in log lines that carry
//! metrics.

pub mod emf;
mod events;

use std::convert::Infallible;
use std::fmt;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use afterimage::{Outcome, reason};
use afterimage_dynamodb::{BatchReport, Processor, RecordReport, StreamEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn};
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

    /// Answers Lambda's events, one after the other, as long as the process lives. A panic fails its own
    /// event only.
    ///
    /// # Errors
    /// Where Lambda's runtime API does not answer.
    pub async fn serve(self) -> Result<(), Error> {
        let function = &self;
        lambda_runtime::run(service_fn(move |event: LambdaEvent<StreamEvent>| async move {
            Ok::<_, Infallible>(function.handle_event(&event).await.response())
        }))
        .await
    }

    /// Applies the batch of one of Lambda's events.
    pub async fn handle_event(&self, event: &LambdaEvent<StreamEvent>) -> BatchReport {
        let context = &event.context;
        // There is no time before the deadline where it has passed, and nothing is begun then.
        let left = context.deadline().duration_since(SystemTime::now()).unwrap_or(Duration::ZERO);
        let request = Request {
            function_name: &context.env_config.function_name,
            request_id: &context.request_id,
            deadline: Instant::now() + left,
        };
        self.handle(&event.payload, request).await
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
