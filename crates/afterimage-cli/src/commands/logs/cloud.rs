//! CloudWatch Logs.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use time::OffsetDateTime;

use super::Printer;
use super::event::Event;
use crate::connection::{Refusal, aws_settings};
use crate::failure::{Failure, Status};

/// How often CloudWatch is asked for more: some requests a second are allowed for all of an account
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>).
const ASK_INTERVAL: Duration = Duration::from_secs(2);

/// Events may appear this much later than others that were logged after them.
const LATENESS: Duration = Duration::from_secs(30);

/// A log group, and what was read of it.
struct LogGroup<'a> {
    client: Client,
    name: &'a str,
    from_ms: i64,
    /// The events that were printed and may be answered again.
    seen: BTreeSet<String>,
}

/// Why the events could not be printed.
enum ReadError {
    /// CloudWatch is asked too often; later it answers.
    Throttled(Failure),
    /// Anything else.
    Other(anyhow::Error),
}

/// Prints the events of a log group, page by page; then, if wanted, what comes.
pub(super) async fn run(
    mut printer: Printer,
    log_group: &str,
    follow: bool,
) -> anyhow::Result<Status> {
    let client = Client::new(&aws_settings().await?);
    let from_ms = unix_ms(printer.from);
    let mut log_group = LogGroup { client, name: log_group, from_ms, seen: BTreeSet::new() };
    loop {
        let asked_at = OffsetDateTime::now_utc();
        match log_group.print(&mut printer).await {
            Ok(shown) => {
                log_group.seen = shown;
                let from_ms = unix_ms(asked_at - LATENESS);
                log_group.from_ms = log_group.from_ms.max(from_ms);
            }
            // It is asked for the same events again, and knows which of them it printed.
            Err(ReadError::Throttled(_)) if follow => {}
            Err(ReadError::Throttled(failure)) => return Err(failure.into()),
            Err(ReadError::Other(error)) => return Err(error),
        }
        if !follow {
            return Ok(Status::Done);
        }
        tokio::time::sleep(ASK_INTERVAL).await;
    }
}

impl LogGroup<'_> {
    /// Prints the events that were not printed yet; the ids of those that were answered.
    async fn print(&mut self, printer: &mut Printer) -> Result<BTreeSet<String>, ReadError> {
        let mut answered = BTreeSet::new();
        let pages = self.client.filter_log_events().log_group_name(self.name);
        let mut pages = pages.start_time(self.from_ms).into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let code = error.as_service_error().and_then(|it| it.code().map(str::to_owned));
                let cause =
                    error.into_source().map_or_else(anyhow::Error::from, anyhow::Error::from_boxed);
                explain(self.name, code.as_deref(), cause)
            })?;
            for event in page.events() {
                answered.extend(event.event_id().map(str::to_owned));
                let is_new = event.event_id().is_none_or(|id| self.seen.insert(id.to_owned()));
                if is_new {
                    show(printer, event).map_err(|error| ReadError::Other(error.into()))?;
                }
            }
            printer.flush().map_err(|error| ReadError::Other(error.into()))?;
        }
        Ok(answered)
    }
}

/// Prints an event, with CloudWatch's time where it tells none itself.
fn show(printer: &mut Printer, event: &FilteredLogEvent) -> std::io::Result<()> {
    let Some(message) = event.message() else { return Ok(()) };
    let at = event.timestamp().and_then(|at_ms| {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(at_ms) * 1_000_000).ok()
    });
    let parsed = Event::parse(message);
    printer.event(match at {
        Some(at) => parsed.dated(at),
        None => parsed,
    })
}

fn unix_ms(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn explain(log_group: &str, code: Option<&str>, cause: anyhow::Error) -> ReadError {
    let refusal = code.map(|code| (Refusal::of(code), code));
    let failure = match refusal {
        Some((Refusal::Missing, _)) => Failure::new(
            format!("there is no log group {log_group}"),
            "name the one in the deployed stack's output ProcessorLogGroup, in its account and Region",
        ),
        Some((Refusal::Credentials, code)) => Failure::new(
            format!("AWS refused the credentials: {code}"),
            "sign in anew (`aws sts get-caller-identity` says as whom), and run the command again",
        ),
        Some((Refusal::Access, code)) => Failure::new(
            format!("the log group {log_group} may not be read: {code}"),
            "use credentials whose policy allows logs:FilterLogEvents on the log group",
        ),
        Some((Refusal::Throttled, code)) => {
            let sentence = format!("CloudWatch Logs is asked too much: {code}");
            let next = "wait a little and run the command again, with a shorter --since; with --follow it waits by itself";
            return ReadError::Throttled(Failure::new(sentence, next).because(cause));
        }
        Some((Refusal::Other, code)) => Failure::new(
            format!("CloudWatch Logs answered with {code}"),
            "mend what the cause names, and run the command again",
        ),
        None => Failure::new(
            "CloudWatch Logs could not be asked",
            "check the network, the credentials (`aws sts get-caller-identity`) and AWS_REGION",
        ),
    };
    ReadError::Other(failure.because(cause).into())
}
