//! The local stack's log file.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::time::Duration;

use afterimage_local::function_log;

use super::Printer;
use crate::failure::{Failure, Status};

/// How often the file is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Prints what the file holds, the one that was set aside first; then, if wanted, what comes.
pub(super) async fn run(
    mut printer: Printer,
    data_dir: &Path,
    follow: bool,
) -> anyhow::Result<Status> {
    let path = function_log(data_dir);
    let aside = path.with_extension("1.jsonl");
    let mut log = match Log::open(&path) {
        Ok(log) => log,
        Err(error) if error.kind() == io::ErrorKind::NotFound && follow => Log::absent(&path),
        Err(error) => return Err(unreadable(&path, error).into()),
    };
    match Log::open(&aside) {
        Ok(mut aside) => aside.read(&mut printer)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(unreadable(&aside, error).into()),
    }
    loop {
        log.read(&mut printer)?;
        printer.flush()?;
        if !follow {
            return Ok(Status::Done);
        }
        tokio::time::sleep(LOOK_INTERVAL).await;
        log.reopen_if_replaced()?;
    }
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    let (sentence, next) = match error.kind() {
        io::ErrorKind::NotFound => (
            format!("there is no log at {}", path.display()),
            "start a stack with `afterimage up`, or name its --data-dir: one in memory keeps no log",
        ),
        _ => (format!("the log {} cannot be read", path.display()), "make it readable"),
    };
    Failure::new(sentence, next).because(error)
}

/// A log that grows, and may be set aside for a new one.
struct Log {
    path: PathBuf,
    reader: Option<BufReader<File>>,
    /// A line whose end is not written yet.
    begun: Vec<u8>,
    read_bytes: u64,
}

impl Log {
    fn open(path: &Path) -> io::Result<Self> {
        let reader = Some(BufReader::new(File::open(path)?));
        Ok(Self { reader, ..Self::absent(path) })
    }

    fn absent(path: &Path) -> Self {
        Self { path: path.to_owned(), reader: None, begun: Vec::new(), read_bytes: 0 }
    }

    /// Prints the whole lines that were not read yet.
    fn read(&mut self, printer: &mut Printer) -> io::Result<()> {
        let Some(reader) = &mut self.reader else { return Ok(()) };
        loop {
            let count = reader.read_until(b'\n', &mut self.begun)?;
            self.read_bytes += count as u64;
            if !self.begun.ends_with(b"\n") {
                return Ok(());
            }
            printer.line(String::from_utf8_lossy(&self.begun).trim_end())?;
            self.begun.clear();
        }
    }

    /// Begins with the new file where the one in hand was set aside: a log never shrinks.
    fn reopen_if_replaced(&mut self) -> io::Result<()> {
        let bytes = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata.len(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        if self.reader.is_none() || bytes < self.read_bytes {
            *self = Self::open(&self.path)?;
        }
        Ok(())
    }
}
