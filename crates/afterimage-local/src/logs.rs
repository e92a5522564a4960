//! Logs: the functions' as JSON lines in a file, as CloudWatch would keep them; a short one for people
//! on the terminal. A stack that keeps nothing has no file.

use std::env;
use std::fs::{self, File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::applications::LOG_TARGETS;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Metadata};
use tracing_subscriber::filter::{Targets, filter_fn};
use tracing_subscriber::fmt;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};
use tracing_subscriber::{Layer, Registry};

/// How large the file becomes before it is set aside as `functions.1.jsonl`, in place of an older one.
const LARGEST_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// The crates whose events are the functions' logs, beside the applications'.
const FUNCTION_CRATES: [&str; 4] =
    ["afterimage_dynamodb", "http_api", "lambda", "stream_processor"];

/// The functions' log of this process, where it has one: like the subscriber, it is the process's own.
static FUNCTION_LOG: OnceLock<Arc<FunctionLog>> = OnceLock::new();

/// The target of the spans that stand for invocations.
pub(crate) const INVOCATION_TARGET: &str = "lambda";

/// Makes both logs the process's own. `function_log` is opened when the first line is written. The
/// terminal's log shows what the stack does, and warnings of the functions; `RUST_LOG` overrides that.
///
/// # Errors
/// Where the process has a subscriber already.
pub fn install(function_log: Option<PathBuf>) -> Result<(), TryInitError> {
    let wanted = env::var("RUST_LOG").ok().and_then(|it| Targets::from_str(&it).ok());
    let wanted = wanted.unwrap_or_else(|| {
        Targets::new()
            .with_default(LevelFilter::WARN)
            .with_target("dynoxide", LevelFilter::ERROR)
            .with_target("stream_processor", LevelFilter::ERROR)
            .with_target("afterimage_local", LevelFilter::INFO)
            .with_target("afterimage_cli", LevelFilter::INFO)
    });
    let human = fmt::layer()
        .compact()
        .with_target(false)
        .with_ansi(io::stderr().is_terminal())
        .with_writer(io::stderr)
        .with_filter(wanted);
    let functions = function_log.map(|path| {
        let log = FUNCTION_LOG.get_or_init(|| Arc::new(FunctionLog::new(path)));
        function_layer(Arc::clone(log))
    });
    tracing_subscriber::registry().with(functions).with(human).try_init()
}

/// Writes a line that a function made itself, as Lambda takes it from standard output.
///
/// # Errors
/// Where the file cannot be written.
pub(crate) fn write_function_line(line: &str) -> io::Result<()> {
    match FUNCTION_LOG.get() {
        Some(log) => (&mut log.as_ref()).write_all(format!("{line}\n").as_bytes()),
        None => Ok(()),
    }
}

fn function_layer(log: Arc<FunctionLog>) -> impl Layer<Registry> {
    lambda_start::json_lines()
        .with_writer(log)
        .with_filter(filter_fn(is_of_function))
        .with_filter(LevelFilter::INFO)
}

fn is_of_function(metadata: &Metadata<'_>) -> bool {
    let of_crate = metadata.target().split("::").next().unwrap_or_default();
    let is_of_function = FUNCTION_CRATES.contains(&of_crate) || LOG_TARGETS.contains(&of_crate);
    is_of_function && *metadata.level() <= Level::INFO
}

/// An append-only file of bounded size.
#[derive(Debug)]
struct FunctionLog {
    path: PathBuf,
    file: Mutex<Option<OpenFile>>,
}

#[derive(Debug)]
struct OpenFile {
    file: File,
    bytes: u64,
}

impl FunctionLog {
    fn new(path: PathBuf) -> Self {
        Self { path, file: Mutex::new(None) }
    }
}

fn open(path: &Path) -> io::Result<OpenFile> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    let file = OpenOptions::new().create(true).append(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok(OpenFile { file, bytes })
}

impl Write for &FunctionLog {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.as_ref().is_some_and(|file| file.bytes >= LARGEST_FILE_BYTES) {
            fs::rename(&self.path, self.path.with_extension("1.jsonl"))?;
            *file = None;
        }
        let open_file = match &mut *file {
            Some(open_file) => open_file,
            none => none.insert(open(&self.path)?),
        };
        open_file.file.write_all(line)?;
        open_file.bytes += line.len() as u64;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn the_functions_lines_are_json_with_their_invocation_and_nobody_else_s() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("logs/functions.jsonl");
        let layer = function_layer(Arc::new(FunctionLog::new(path.clone())));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(target: "afterimage_local", "not a function's");
            let span = tracing::info_span!(target: INVOCATION_TARGET, "invoke", requestId = "r1");
            span.in_scope(|| {
                tracing::info!(target: "stream_processor", record_count = 3, "batch applied");
                tracing::debug!(target: "stream_processor", "detail");
            });
        });
        let text = fs::read_to_string(path).expect("a file");
        let lines: Vec<Value> =
            text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert_eq!(lines.len(), 1, "{text}");
        assert_eq!(lines[0]["fields"]["record_count"], 3);
        assert_eq!(lines[0]["span"]["requestId"], "r1");
        assert_eq!(lines[0]["level"], "INFO");
        assert!(lines[0]["timestamp"].is_string());
    }

    #[test]
    fn a_large_file_is_set_aside() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("functions.jsonl");
        let log = FunctionLog::new(path.clone());
        (&log).write_all(b"one\n").expect("written");
        log.file.lock().expect("a lock").as_mut().expect("open").bytes = LARGEST_FILE_BYTES;
        (&log).write_all(b"two\n").expect("written");
        assert_eq!(fs::read_to_string(&path).expect("a file"), "two\n");
        let aside = directory.path().join("functions.1.jsonl");
        assert_eq!(fs::read_to_string(aside).expect("a file"), "one\n");
    }
}
