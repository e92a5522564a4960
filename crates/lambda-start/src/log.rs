//! What the functions log, and how.

use std::env;
use std::str::FromStr as _;

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields};
use tracing_subscriber::fmt::{self, Layer as Lines};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, registry};

use crate::panics;

/// Where the runtime writes the error that a handler returned by its `Debug`, always as an `ERROR`, and that it
/// panicked. None of this is told: handlers tell their errors themselves, since `Debug` may hold a whole response
/// of DynamoDB, and refusals are no `ERROR`; a panic has a line of its own, which says more.
const HANDLER_TARGET: &str = "lambda_runtime::layers::panic";

/// Makes standard output the log of the process, which Lambda takes to CloudWatch. Format and level
/// follow the variables that the runtime's own subscriber follows; unlike its lines, these have a time,
/// without which Lambda takes every one for `INFO`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>). From here on a
/// panic is one of the lines.
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
    let variable = |name| env::var(name).ok();
    let level = level(variable("AWS_LAMBDA_LOG_LEVEL").as_deref(), variable("RUST_LOG").as_deref());
    registry().with(level).with(lines).init();
    panics::tell();
}

/// Lines of JSON: `timestamp` (RFC 3339, UTC), `level`, `fields`, and the spans around them.
#[must_use]
pub fn json_lines<S>() -> Lines<S, JsonFields, Format<Json>> {
    fmt::layer().json().with_target(false)
}

/// The level that Lambda gives, else what `RUST_LOG` says by target; less [`HANDLER_TARGET`], and with
/// panics in any case: standard error does not have them. No
/// `EnvFilter`: it would link a second engine of regular expressions into every function.
fn level(of_lambda: Option<&str>, by_target: Option<&str>) -> Targets {
    let level = of_lambda.and_then(|it| LevelFilter::from_str(it).ok());
    level
        .map(|level| Targets::new().with_default(level))
        .or_else(|| Targets::from_str(by_target?).ok())
        .unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO))
        .with_target(HANDLER_TARGET, LevelFilter::OFF)
        .with_target(panics::TARGET, LevelFilter::ERROR)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::{Read as _, Seek as _};
    use std::sync::Arc;

    use serde_json::Value;
    use tracing::Level;

    use super::*;

    #[test]
    fn what_the_runtime_tells_of_a_handler_is_left_out() {
        let file = Arc::new(tempfile::tempfile().expect("a file"));
        let lines = json_lines().with_writer(Arc::clone(&file));
        let log = registry().with(level(None, None)).with(lines);
        tracing::dispatcher::with_default(&log.into(), || {
            tracing::error!(target: HANDLER_TARGET, "Store(Item {{ name: \"Kim\" }})");
            tracing::error!(target: HANDLER_TARGET, error = "Any", "user handler panicked");
            tracing::error!("request failed");
        });
        let text = read(&file);
        let line: Value = serde_json::from_str(&text).expect("one line of JSON");
        assert_eq!(line["fields"]["message"], "request failed");
        assert_eq!(line["level"], "ERROR");
        assert!(line["timestamp"].as_str().is_some_and(|it| it.ends_with('Z')), "{line}");
    }

    #[track_caller]
    fn check_level(of_lambda: Option<&str>, by_target: Option<&str>, expected: &[(&str, Level)]) {
        let level = level(of_lambda, by_target);
        for (target, least) in expected {
            let told = [Level::TRACE, Level::DEBUG, Level::INFO, Level::WARN, Level::ERROR]
                .into_iter()
                .find(|it| level.would_enable(target, it));
            assert_eq!(told, Some(*least), "{target}");
        }
        assert!(!level.would_enable(HANDLER_TARGET, &Level::ERROR));
        assert!(level.would_enable(panics::TARGET, &Level::ERROR));
    }

    #[test]
    fn lambda_gives_the_level_or_else_each_target_its_own() {
        check_level(None, None, &[("albums", Level::INFO)]);
        check_level(Some("DEBUG"), Some("error"), &[("albums", Level::DEBUG)]);
        check_level(Some("warn"), None, &[("albums", Level::WARN)]);
        check_level(Some("loud"), None, &[("albums", Level::INFO)]);
        let by_target = "error,hyper=debug";
        check_level(None, Some(by_target), &[("albums", Level::ERROR), ("hyper", Level::DEBUG)]);
        check_level(None, Some("a=b=c"), &[("albums", Level::INFO)]);
        check_level(None, Some("lambda_runtime=trace"), &[("lambda_runtime", Level::TRACE)]);
    }

    fn read(mut file: &File) -> String {
        let mut text = String::new();
        file.rewind().expect("a file");
        file.read_to_string(&mut text).expect("text");
        text
    }
}
