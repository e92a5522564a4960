//! The local stack's log file.

mod log;

use std::path::Path;
use std::time::Duration;

use afterimage_local::function_log;

use super::printer::Printer;
use crate::failure::{self, Failure, Status};
use log::Log;

/// How often the file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Prints what the file holds, the one that was set aside first; then, if wanted, what comes.
pub(super) async fn run(
    mut printer: Printer,
    data_dir: &Path,
    follow: bool,
) -> anyhow::Result<Status> {
    let path = function_log(data_dir);
    let mut log = Log::new(path.clone());
    log.read(|line| printer.line(line))?;
    if log.is_absent() {
        let absent = absent(&path, follow);
        if !follow {
            return Err(absent.into());
        }
        failure::print(&absent.into());
    }
    loop {
        printer.flush()?;
        if !follow {
            return Ok(Status::Done);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
        log.read(|line| printer.line(line))?;
    }
}

fn absent(path: &Path, follow: bool) -> Failure {
    let waiting = if follow { " yet: waiting for it" } else { "" };
    Failure::new(
        format!("there is no log at {}{waiting}", path.display()),
        "start a stack with `afterimage up`, or name its --data-dir: one in memory keeps no log",
    )
}
