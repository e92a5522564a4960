//! Runs the real binary.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::Expect;

/// The repository's root.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The `afterimage` command, in the repository's root, without the caller's AWS and table settings, and
/// without colours.
pub fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_afterimage"));
    let settings = std::env::vars().map(|(name, _)| name).filter(|name| {
        name.starts_with("AWS_")
            || name.ends_with("_TABLE")
            || name.starts_with("AFTERIMAGE_")
            || name == "PROCESSOR_LOG_GROUP"
    });
    for setting in settings {
        command.env_remove(setting);
    }
    command.env("NO_COLOR", "1");
    command.args(arguments).current_dir(repository()).stdin(Stdio::null());
    command
}

/// What a run gave.
#[derive(Debug)]
pub struct Run {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Runs a command to its end.
pub fn run(arguments: &[&str]) -> Run {
    to_its_end(&mut command(arguments))
}

/// Runs a command, made ready, to its end.
pub fn to_its_end(command: &mut Command) -> Run {
    let output = command.output().expect("the command runs");
    Run {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).expect("UTF-8"),
        stderr: String::from_utf8(output.stderr).expect("UTF-8"),
    }
}

/// Runs a command, and compares its exit code and all that it printed; `endpoint` reads `ENDPOINT`.
#[track_caller]
pub fn check(endpoint: &str, arguments: &[&str], expected: &Expect) {
    let arguments: Vec<&str> =
        arguments.iter().map(|it| if *it == "ENDPOINT" { endpoint } else { it }).collect();
    let run = run(&arguments);
    let code = run.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
    let mut text = format!("exit code {code}\n{}", run.stdout);
    if !run.stderr.is_empty() {
        text.push_str("on standard error:\n");
        text.push_str(&run.stderr);
    }
    expected.assert_eq(&text.replace(endpoint, "ENDPOINT"));
}

/// Sends a signal, such as `INT`, to a process of this test.
pub fn signal(process: &std::process::Child, name: &str) {
    let sent = Command::new("sh")
        .args(["-c", &format!("kill -{name} {}", process.id())])
        .status()
        .expect("a shell");
    assert!(sent.success(), "kill -{name}");
}
