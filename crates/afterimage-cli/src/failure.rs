//! Errors as a person reads them, and the exit codes.

use std::error::Error;
use std::fmt;
use std::io::Write as _;
use std::process::ExitCode;

use afterimage_local::StartError;

/// The exit code of a command that could not decide something.
const UNDECIDED_CODE: u8 = 3;

/// How a command that ran to its end came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// All is done.
    Done,
    /// Something failed, and the output says what.
    Incomplete,
    /// Something could not be decided, and the output says what.
    Undecided,
    /// Ctrl-C ended it.
    Interrupted,
}

/// An error sentence with what to do next, and the exit code where it is not 1.
#[derive(Debug)]
pub struct Failure {
    /// What happened, and where.
    pub sentence: String,
    /// What to do next.
    pub next: String,
    /// The exit code.
    pub code: u8,
    /// What caused it.
    pub source: Option<anyhow::Error>,
}

impl Failure {
    /// Something went wrong.
    pub fn new(sentence: impl Into<String>, next: impl Into<String>) -> Self {
        Self { sentence: sentence.into(), next: next.into(), code: 1, source: None }
    }

    /// The command was called in a way that it does not take.
    pub fn usage(sentence: impl Into<String>, next: impl Into<String>) -> Self {
        Self { code: 2, ..Self::new(sentence, next) }
    }

    /// The same, with its cause.
    pub fn because(self, source: impl Into<anyhow::Error>) -> Self {
        Self { source: Some(source.into()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.sentence)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

/// Prints the error, if there is one, and gives the exit code.
pub fn exit_code(result: anyhow::Result<Status>) -> ExitCode {
    match result {
        Ok(Status::Done) => ExitCode::SUCCESS,
        Ok(Status::Incomplete) => ExitCode::FAILURE,
        Ok(Status::Undecided) => ExitCode::from(UNDECIDED_CODE),
        Ok(Status::Interrupted) => ExitCode::from(130),
        // Whoever reads our output has read enough.
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print(&error);
            ExitCode::from(error.chain().find_map(code_of).unwrap_or(1))
        }
    }
}

/// Prints the error on standard error.
pub fn print(error: &anyhow::Error) {
    // Where that is gone, the exit code has to do.
    std::io::stderr().write_all(report(error).as_bytes()).ok();
}

/// The error's sentence, its causes and what to do next, a line each.
fn report(error: &anyhow::Error) -> String {
    let mut lines = vec![format!("error: {error}")];
    let mut said = error.to_string();
    for cause in error.chain().skip(1) {
        let sentence = cause.to_string();
        // Some errors repeat their source in their own sentence.
        if !said.contains(&sentence) {
            lines.push(format!("  because: {sentence}"));
            said = sentence;
        }
    }
    let next = error.chain().find_map(|cause| cause.downcast_ref::<Failure>());
    if let Some(failure) = next {
        lines.push(format!("  next: {}", failure.next));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The exit code of an error that has one of its own.
fn code_of(cause: &(dyn Error + 'static)) -> Option<u8> {
    let failure = cause.downcast_ref::<Failure>().map(|failure| failure.code);
    failure.or_else(|| cause.downcast_ref::<StartError>().map(StartError::exit_code))
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_reads_as_sentence_causes_and_next_step() {
        let cause = anyhow::anyhow!("connection refused").context("connection refused by the host");
        let failure = Failure::new("nothing answers", "start it").because(cause);
        assert_eq!(
            report(&anyhow::Error::from(failure)),
            "error: nothing answers\n  because: connection refused by the host\n  next: start it\n"
        );
    }

    #[test]
    fn a_broken_pipe_is_no_failure() {
        let error = std::io::Error::from(std::io::ErrorKind::BrokenPipe);
        assert!(is_broken_pipe(&anyhow::Error::from(error).context("printing")));
    }
}
