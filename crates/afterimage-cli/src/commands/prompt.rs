//! Asking before something is deleted for ever.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use anyhow::Context as _;

use crate::failure::Failure;

/// Whether the person at the terminal types yes. Without a terminal, `--yes` has to be given.
pub async fn agreed(command: &str, question: &str) -> anyhow::Result<bool> {
    if !std::io::stdin().is_terminal() {
        let sentence =
            format!("{command} asks before it deletes, and there is no terminal to ask at");
        return Err(Failure::usage(sentence, "add --yes").into());
    }
    std::io::stderr().write_all(format!("{question} Type yes: ").as_bytes())?;
    let read = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    let answer = read.await?.context("the answer cannot be read")?;
    Ok(answer.trim() == "yes")
}
