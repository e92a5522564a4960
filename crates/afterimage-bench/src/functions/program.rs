//! A function as a process.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use testkit::lambda::Function;

use crate::BenchError;
use crate::engine::Engine;

/// The longest that an event may take: no figure depends on it.
const INVOCATION_TIME: Duration = Duration::from_secs(1800);

/// A function that can be started.
#[derive(Debug, Clone)]
pub struct Program {
    pub(super) language: &'static str,
    pub(super) path: PathBuf,
    pub(super) arguments: &'static [&'static str],
    pub(super) variables: BTreeMap<String, String>,
}

/// A running function. Dropping it ends its process.
#[derive(Debug)]
pub struct Running {
    language: &'static str,
    function: Function,
}

/// What a function tells of an event.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BatchLine {
    /// Records of the event.
    pub record_count: usize,
    /// Write units consumed.
    pub write_units: f64,
    /// Read units consumed.
    pub read_units: f64,
}

impl Program {
    /// The language that it is written in.
    #[must_use]
    pub fn language(&self) -> &'static str {
        self.language
    }

    /// Starts it on the tables of this engine. Returns at once.
    ///
    /// # Errors
    /// [`BenchError`] where the path is none.
    pub async fn start(&self, engine: &Engine) -> Result<Running, BenchError> {
        let path = self.path.to_str();
        let path = path.ok_or(BenchError::State { what: "the target folder is not UTF-8" })?;
        let (arguments, url) = (self.arguments, engine.url());
        let started = Function::start_without_proxy(path, arguments, &self.variables, &url);
        Ok(Running { language: self.language, function: started.await })
    }
}

impl Running {
    /// Returns once it asks for an event.
    pub async fn ready(&mut self) {
        self.function.ready().await;
    }

    /// Has an event processed, and says how long it took from its delivery to the response.
    ///
    /// # Errors
    /// [`BenchError`] where it fails, or a record of it does.
    pub async fn process(&mut self, event: &str) -> Result<Duration, BenchError> {
        let start = Instant::now();
        let response = self.function.invoke_within(event, INVOCATION_TIME).await;
        let took = start.elapsed();
        let failed = |message| BenchError::Function { language: self.language, message };
        let response = response.map_err(|error| failed(error.message))?;
        let response: Value = serde_json::from_str(&response)?;
        match response.get("batchItemFailures").and_then(Value::as_array).map(Vec::len) {
            Some(0) => Ok(took),
            Some(count) => Err(failed(format!("{count} records failed"))),
            None => Err(failed("its response is no partial batch response".to_owned())),
        }
    }

    /// The most memory that its process has had so far, in bytes.
    ///
    /// # Errors
    /// [`BenchError`] where the system does not tell.
    pub fn peak_memory_bytes(&self) -> Result<u64, BenchError> {
        let id = self.function.process_id();
        let id = id.ok_or(BenchError::State { what: "the function has ended" })?;
        let path = format!("/proc/{id}/status");
        let status = std::fs::read_to_string(&path);
        let status = status.map_err(|source| BenchError::File { path, source })?;
        peak_memory_bytes(&status)
            .ok_or(BenchError::State { what: "the system does not tell a process's memory" })
    }

    /// Ends it, and returns what it told of each event.
    ///
    /// # Errors
    /// [`BenchError`] where a line is not what it should be.
    pub async fn end(self) -> Result<Vec<BatchLine>, BenchError> {
        let stdout = self.function.terminate().await.stdout;
        let told = stdout.iter().filter(|line| line.contains("\"batch processed\""));
        Ok(told.map(|line| serde_json::from_str(line)).collect::<Result<_, _>>()?)
    }
}

/// `VmHWM`, the high water mark of the resident set
/// (<https://man7.org/linux/man-pages/man5/proc_pid_status.5.html>).
fn peak_memory_bytes(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_of_memory_is_read() {
        let status = "Name:\tx\nVmPeak:\t  9000 kB\nVmHWM:\t   2048 kB\nVmRSS:\t 12 kB\n";
        assert_eq!(peak_memory_bytes(status), Some(2 * 1024 * 1024));
        assert_eq!(peak_memory_bytes("Name:\tx\n"), None);
    }

    #[test]
    fn the_line_of_either_function_is_read() {
        let rust = r#"{"message":"batch processed","record_count":3,"write_units":14.0,"read_units":0.5,"cold_start":true}"#;
        let line: BatchLine = serde_json::from_str(rust).expect("a line");
        assert_eq!(line, BatchLine { record_count: 3, write_units: 14.0, read_units: 0.5 });
    }
}
