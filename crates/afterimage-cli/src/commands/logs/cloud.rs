//! CloudWatch Logs.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata as _;
use aws_sdk_cloudwatchlogs::types::FilteredLogEvent;
use time::OffsetDateTime;

use super::Printer;
use crate::failure::{Failure, Status};

/// How often CloudWatch is asked for more: some requests a second are allowed for all of an account
/// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>).
const ASK_INTERVAL: Duration = Duration::from_secs(2);

/// Events may appear this much later than others that were logged after them.
const LATENESS: Duration = Duration::from_secs(30);

/// Prints the events of a log group, page by page; then, if wanted, what comes.
pub(super) async fn run(
    mut printer: Printer,
    log_group: &str,
    follow: bool,
) -> anyhow::Result<Status> {
    let config = aws_config::load_defaults(BehaviorVersion::latest()).await;
    if config.region().is_none() {
        let next = "set AWS_REGION, or a Region in the profile that AWS_PROFILE names";
        return Err(Failure::new("the environment names no AWS Region", next).into());
    }
    let client = Client::new(&config);
    let mut from_ms = unix_ms(printer.from);
    let mut seen = BTreeSet::new();
    loop {
        let asked_at = OffsetDateTime::now_utc();
        let mut shown = BTreeSet::new();
        let pages = client.filter_log_events().log_group_name(log_group).start_time(from_ms);
        let mut pages = pages.into_paginator().send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                let code = error.as_service_error().and_then(|it| it.code().map(str::to_owned));
                let cause =
                    error.into_source().map_or_else(anyhow::Error::from, anyhow::Error::from_boxed);
                explain(log_group, code.as_deref()).because(cause)
            })?;
            for event in page.events() {
                show(&mut printer, event, &seen, &mut shown)?;
            }
            printer.flush()?;
        }
        if !follow {
            return Ok(Status::Done);
        }
        seen = shown;
        from_ms = from_ms.max(unix_ms(asked_at - LATENESS));
        tokio::time::sleep(ASK_INTERVAL).await;
    }
}

/// Prints an event that was not printed the last time.
fn show(
    printer: &mut Printer,
    event: &FilteredLogEvent,
    seen: &BTreeSet<String>,
    shown: &mut BTreeSet<String>,
) -> std::io::Result<()> {
    if let Some(id) = event.event_id() {
        shown.insert(id.to_owned());
        if seen.contains(id) {
            return Ok(());
        }
    }
    match event.message() {
        Some(message) => printer.line(message),
        None => Ok(()),
    }
}

fn unix_ms(at: OffsetDateTime) -> i64 {
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
}

fn explain(log_group: &str, code: Option<&str>) -> Failure {
    match code {
        Some("ResourceNotFoundException") => Failure::new(
            format!("there is no log group {log_group}"),
            "name the one in the deployed stack's output ProcessorLogGroup, in its Region",
        ),
        Some(code) => Failure::new(
            format!("CloudWatch Logs answered with {code}"),
            "sign in to an account that may call logs:FilterLogEvents on the log group",
        ),
        None => Failure::new(
            "CloudWatch Logs could not be asked",
            "check the network, the credentials (`aws sts get-caller-identity`) and AWS_REGION",
        ),
    }
}
