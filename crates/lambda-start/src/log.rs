//! What the functions log, and how.

use std::env;
use std::str::FromStr as _;

use lambda_runtime::tracing::Metadata;
use lambda_runtime::tracing::subscriber::filter::{EnvFilter, LevelFilter, filter_fn};
use lambda_runtime::tracing::subscriber::fmt::format::{Format, Json, JsonFields};
use lambda_runtime::tracing::subscriber::fmt::{self, Layer as Lines};
use lambda_runtime::tracing::subscriber::layer::SubscriberExt as _;
use lambda_runtime::tracing::subscriber::util::SubscriberInitExt as _;
use lambda_runtime::tracing::subscriber::{Layer as _, registry};

/// Where the runtime tells what a handler returned, or that it panicked.
const HANDLER_TARGET: &str = "lambda_runtime::layers::panic";

/// Makes standard output the log of the process, which Lambda takes to CloudWatch. Format and level
/// follow the variables that the runtime's own subscriber follows; unlike its lines, these have a time,
/// without which Lambda takes every one for `INFO`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
///
/// # Panics
/// Where the process has a log already.
pub fn log() {
    let lines = if env::var("AWS_LAMBDA_LOG_FORMAT").is_ok_and(|it| it.eq_ignore_ascii_case("json"))
    {
        json_lines().boxed()
    } else {
        fmt::layer().with_target(false).with_ansi(false).boxed()
    };
    registry().with(level()).with(lines.with_filter(filter_fn(is_told))).init();
}

/// Lines of JSON: `timestamp` (RFC 3339, UTC), `level`, `fields`, and the spans around them.
#[must_use]
pub fn json_lines<S>() -> Lines<S, JsonFields, Format<Json>> {
    fmt::layer().json().with_target(false)
}

fn level() -> EnvFilter {
    let level = env::var("AWS_LAMBDA_LOG_LEVEL").or_else(|_| env::var("RUST_LOG"));
    let level = level.ok().and_then(|it| LevelFilter::from_str(&it).ok());
    let level = level.unwrap_or(LevelFilter::INFO);
    EnvFilter::builder().with_default_directive(level.into()).from_env_lossy()
}

/// The runtime writes the error that a handler returns by its `Debug`, always as an `ERROR`. Handlers tell
/// their errors themselves, since `Debug` may hold a whole response of DynamoDB, and refusals are no
/// `ERROR`. A panic, which has a field `error`, is told.
fn is_told(metadata: &Metadata<'_>) -> bool {
    metadata.target() != HANDLER_TARGET || metadata.fields().field("error").is_some()
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Seek as _};
    use std::sync::Arc;

    use lambda_runtime::tracing;
    use serde_json::Value;

    use super::*;

    #[test]
    fn what_a_handler_returned_is_not_told_and_a_panic_is() {
        let file = Arc::new(tempfile::tempfile().expect("a file"));
        let lines = json_lines().with_writer(Arc::clone(&file));
        let log = registry().with(lines.with_filter(filter_fn(is_told)));
        tracing::dispatcher::with_default(&log.into(), || {
            tracing::error!(target: HANDLER_TARGET, "Store(Item {{ name: \"Kim\" }})");
            tracing::error!(target: HANDLER_TARGET, error = "Any", "user handler panicked");
        });
        let text = read(&file);
        let line: Value = serde_json::from_str(&text).expect("one line of JSON");
        assert_eq!(line["fields"]["message"], "user handler panicked");
        assert_eq!(line["level"], "ERROR");
        assert!(line["timestamp"].as_str().is_some_and(|it| it.ends_with('Z')), "{line}");
    }

    fn read(mut file: &File) -> String {
        let mut text = String::new();
        file.rewind().expect("a file");
        file.read_to_string(&mut text).expect("text");
        text
    }
}
