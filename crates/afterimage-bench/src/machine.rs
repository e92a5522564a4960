//! What the figures were measured on. No name of a host, no path.

use serde::Serialize;
use time::OffsetDateTime;

/// The machine and the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Machine {
    /// The processor's model.
    pub cpu_model: String,
    /// How many processors this process may use.
    pub core_count: usize,
    /// The kernel and its release.
    pub kernel: String,
    /// The day, UTC.
    pub date: String,
}

impl Machine {
    /// This machine, now. What the system does not tell is `unknown`.
    #[must_use]
    pub fn here() -> Self {
        let cpu_info = std::fs::read_to_string("/proc/cpuinfo").ok();
        let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").ok();
        let unknown = || "unknown".to_owned();
        let kernel = release.and_then(|it| Some(format!("Linux {}", number_of(it.trim())?)));
        Self {
            cpu_model: cpu_info.as_deref().and_then(cpu_model).unwrap_or_else(unknown),
            core_count: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            kernel: kernel.unwrap_or_else(unknown),
            date: OffsetDateTime::now_utc().date().to_string(),
        }
    }
}

fn cpu_model(cpu_info: &str) -> Option<String> {
    let line = cpu_info.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

/// The number of a release, without what a builder of kernels hung behind it.
fn number_of(release: &str) -> Option<&str> {
    release.split('-').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_and_kernel_are_read() {
        let cpu_info = "processor\t: 0\nmodel name\t: A Model 7\nflags\t: fpu\n";
        assert_eq!(cpu_model(cpu_info).as_deref(), Some("A Model 7"));
        assert_eq!(number_of("6.1.0-13-amd64"), Some("6.1.0"));
    }
}
