//! CloudWatch Logs.

use std::time::Duration;

use time::OffsetDateTime;

use super::event::Event;
use super::log_group::{LogEvent, LogGroup, ReadError};
use super::printer::Printer;
use crate::failure::{self, Failure, Status};

/// How often CloudWatch is asked for more: some requests a second are allowed for all of an account
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>).
const ASK_INTERVAL: Duration = Duration::from_secs(2);

/// Prints the events of a log group, page by page; then, if wanted, what comes.
pub(super) async fn run(
    mut printer: Printer,
    log_group: String,
    follow: bool,
) -> anyhow::Result<Status> {
    let mut log_group = LogGroup::open(log_group, printer.from).await?;
    let mut is_told = false;
    loop {
        match log_group.read(|page| show(&mut printer, page)).await {
            Ok(()) if !follow => return Ok(Status::Done),
            Ok(()) => is_told = false,
            Err(ReadError::Throttled(_)) if follow => {}
            Err(ReadError::Throttled(mut failure)) => {
                failure.next.push_str("; with --follow it waits by itself");
                return Err(failure.into());
            }
            Err(ReadError::Passing(failure)) if follow => {
                if !is_told {
                    tell(failure);
                }
                is_told = true;
            }
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(ASK_INTERVAL).await;
    }
}

/// Says why nothing comes for now.
fn tell(failure: Failure) {
    let next = "wait: it is asked again until it answers".to_owned();
    failure::print(&Failure { next, ..failure }.into());
}

/// Prints events, with what CloudWatch knows of them: the time where they tell none, the log stream.
fn show(printer: &mut Printer, page: &[LogEvent]) -> anyhow::Result<()> {
    for event in page {
        let Some(message) = &event.message else { continue };
        let at = event.at_ms.and_then(|at_ms| {
            OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).ok()
        });
        let mut shown = Event::parse(message);
        if let Some(at) = at {
            shown = shown.dated(at);
        }
        if let Some(stream) = &event.log_stream {
            shown = shown.of_stream(stream);
        }
        printer.event(shown)?;
    }
    printer.flush()?;
    Ok(())
}
