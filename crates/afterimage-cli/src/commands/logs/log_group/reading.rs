//! Reads a log group.

use std::collections::BTreeSet;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use time::OffsetDateTime;

use super::{LogEvent, ReadError};
use crate::connection::{Refusal, aws_settings};
use crate::failure::Failure;

/// Events may appear this much later than others that were logged after them.
const LATENESS_MS: i64 = 30_000;

/// A log group, and what was read of it.
pub struct LogGroup {
    client: Client,
    name: String,
    from_ms: i64,
    filter_pattern: Option<&'static str>,
    /// The events that were given and may be answered again.
    seen: BTreeSet<String>,
}

impl LogGroup {
    /// A log group from a time on, on the account of the environment. Nothing is sent yet.
    pub async fn open(name: String, from: OffsetDateTime) -> anyhow::Result<Self> {
        let client = Client::new(&aws_settings().await?);
        let seen = BTreeSet::new();
        let from_ms = from.unix_timestamp() * 1000 + i64::from(from.millisecond());
        Ok(Self { client, name, from_ms, filter_pattern: None, seen })
    }

    /// The same, of which only those events are read that match
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html>).
    pub fn filtered(self, pattern: &'static str) -> Self {
        Self { filter_pattern: Some(pattern), ..self }
    }

    /// Gives the events that were not given yet, page by page. After an error it goes on where it was.
    pub async fn read(
        &mut self,
        mut take: impl FnMut(&[LogEvent]) -> anyhow::Result<()>,
    ) -> Result<(), ReadError> {
        let mut newest_ms = None;
        let mut answered = BTreeSet::new();
        let pages = self.client.filter_log_events().log_group_name(&self.name);
        let pattern = self.filter_pattern.map(str::to_owned);
        let pages = pages.start_time(self.from_ms).set_filter_pattern(pattern);
        let mut pages = pages.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| explain(&self.name, error))?;
            let mut new = Vec::new();
            for event in page.events() {
                newest_ms = newest_ms.max(event.timestamp());
                answered.extend(event.event_id().map(str::to_owned));
                if event.event_id().is_none_or(|id| self.seen.insert(id.to_owned())) {
                    new.push(read(event));
                }
            }
            take(&new).map_err(ReadError::Other)?;
        }
        self.seen = answered;
        // By CloudWatch's time: this machine's clock may be ahead.
        if let Some(newest_ms) = newest_ms {
            self.from_ms = self.from_ms.max(newest_ms - LATENESS_MS);
        }
        Ok(())
    }
}

fn read(event: &FilteredLogEvent) -> LogEvent {
    LogEvent {
        message: event.message().map(str::to_owned),
        at_ms: event.timestamp(),
        log_stream: event.log_stream_name().map(str::to_owned),
    }
}

fn explain(log_group: &str, error: SdkError<FilterLogEventsError>) -> ReadError {
    let is_passing = is_passing(&error);
    let code = error.as_service_error().and_then(|it| it.code().map(str::to_owned));
    let status = error.raw_response().map(|response| response.status().as_u16());
    let cause = error.into_source().map_or_else(anyhow::Error::from, anyhow::Error::from_boxed);
    let code = code.or_else(|| status.map(|status| format!("status {status}")));
    let failure = failure(log_group, code.as_deref(), is_passing).because(cause);
    match code.as_deref().map(Refusal::of) {
        Some(Refusal::Throttled) => ReadError::Throttled(failure),
        Some(Refusal::Missing | Refusal::Credentials | Refusal::Access) => {
            ReadError::Other(failure.into())
        }
        Some(Refusal::Other) | None if is_passing => ReadError::Passing(failure),
        Some(Refusal::Other) | None => ReadError::Other(failure.into()),
    }
}

/// Whether a later request may be answered. Credentials that cannot be had are none of the network's
/// faults.
fn is_passing(error: &SdkError<FilterLogEventsError>) -> bool {
    match error {
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
        SdkError::DispatchFailure(failure) => {
            failure.is_io() || failure.is_timeout() || failure.as_other().is_some()
        }
        SdkError::ServiceError(refusal) => refusal.raw().status().is_server_error(),
        SdkError::ConstructionFailure(_) | _ => false,
    }
}

fn failure(log_group: &str, code: Option<&str>, is_passing: bool) -> Failure {
    let Some(code) = code else {
        return Failure::new(
            "CloudWatch Logs could not be asked",
            "check the network, the credentials (`aws sts get-caller-identity`) and AWS_REGION",
        );
    };
    match Refusal::of(code) {
        Refusal::Missing => Failure::new(
            format!("there is no log group {log_group}"),
            "name the one in the deployed stack's output ProcessorLogGroup, in its account and Region",
        ),
        Refusal::Credentials => Failure::new(
            format!("AWS refused the credentials: {code}"),
            "sign in anew (`aws sts get-caller-identity` says as whom), and run the command again",
        ),
        Refusal::Access => Failure::new(
            format!("the log group {log_group} may not be read: {code}"),
            "use credentials whose policy allows logs:FilterLogEvents on the log group",
        ),
        Refusal::Throttled => Failure::new(
            format!("CloudWatch Logs is asked too much: {code}"),
            "wait a little and run the command again, with a shorter --since",
        ),
        Refusal::Other if is_passing => Failure::new(
            format!("CloudWatch Logs answered with {code}"),
            "wait a little and run the command again",
        ),
        Refusal::Other => Failure::new(
            format!("CloudWatch Logs answered with {code}"),
            "correct what the cause names, and run the command again",
        ),
    }
}
