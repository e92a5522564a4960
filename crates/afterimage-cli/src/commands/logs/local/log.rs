//! A log that grows, and is set aside for a new file, or gives way to one.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};

use crate::failure::Failure;

/// What tells a file from another that stood at the same path. Once a file is removed and closed, the
/// system may give the same to a new one: whatever is compared is kept open.
#[cfg(unix)]
type Identity = (u64, u64);

/// Here a new file is only noticed by being shorter than what was read.
#[cfg(not(unix))]
type Identity = ();

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt as _;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> Identity {}

/// The file that is written, the one that was set aside before it, and how far both were read. Of the
/// files that are set aside between two looks the last one is found: those before it are lost, like
/// everything that is removed before a look.
pub(super) struct Log {
    path: PathBuf,
    aside_path: PathBuf,
    current: Option<LogFile>,
    aside: Option<LogFile>,
}

impl Log {
    /// Nothing is read of it yet.
    pub(super) fn new(path: PathBuf) -> Self {
        let aside_path = path.with_extension("1.jsonl");
        Self { path, aside_path, current: None, aside: None }
    }

    /// Whether no file was found yet.
    pub(super) fn is_absent(&self) -> bool {
        self.current.is_none() && self.aside.is_none()
    }

    /// Gives the whole lines that were not given yet, the oldest first.
    pub(super) fn read(
        &mut self,
        mut take: impl FnMut(&str) -> io::Result<()>,
    ) -> anyhow::Result<()> {
        if self.is_replaced()? {
            let (aside, next) = self.open_both()?;
            // Only now to its end: nothing is written to a file once another stands at its path.
            if let Some(current) = &mut self.current {
                current.read(&mut take)?;
            }
            self.aside = match aside {
                Some(aside) if aside.is_same(self.current.as_ref()) => self.current.take(),
                Some(aside) if aside.is_same(self.aside.as_ref()) => self.aside.take(),
                Some(mut aside) => {
                    aside.read(&mut take)?;
                    Some(aside)
                }
                None => None,
            };
            if next.is_some() {
                self.current = next;
            }
        }
        match &mut self.current {
            Some(current) => current.read(&mut take),
            None => Ok(()),
        }
    }

    /// Whether there are files to be opened: the path leads to another one than the one in hand.
    fn is_replaced(&self) -> Result<bool, Failure> {
        Ok(match (metadata(&self.path)?, &self.current) {
            (Some(found), Some(current)) => {
                // A log never shrinks: it was emptied.
                identity(&found) != current.identity || found.len() < current.read_bytes
            }
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (None, None) => self.aside.is_none(),
        })
    }

    /// The file set aside and the one at the path. Where one is set aside in between, both are opened
    /// again: it would be neither.
    fn open_both(&self) -> Result<(Option<LogFile>, Option<LogFile>), Failure> {
        loop {
            let aside = LogFile::open(&self.aside_path)?;
            let current = LogFile::open(&self.path)?;
            let found = metadata(&self.aside_path)?;
            if aside.as_ref().map(|it| it.identity) == found.as_ref().map(identity) {
                return Ok((aside, current));
            }
        }
    }
}

/// An open file of a log, and how far it was read.
struct LogFile {
    path: PathBuf,
    identity: Identity,
    reader: BufReader<File>,
    /// A line whose end is not written yet.
    begun: Vec<u8>,
    read_bytes: u64,
}

impl LogFile {
    fn open(path: &Path) -> Result<Option<Self>, Failure> {
        let opened = File::open(path).and_then(|file| Ok((identity(&file.metadata()?), file)));
        let Some((identity, file)) = found(path, opened)? else { return Ok(None) };
        let reader = BufReader::new(file);
        Ok(Some(Self { path: path.to_owned(), identity, reader, begun: Vec::new(), read_bytes: 0 }))
    }

    fn is_same(&self, other: Option<&Self>) -> bool {
        other.is_some_and(|other| self.identity == other.identity)
    }

    /// Gives the whole lines that were not given yet.
    fn read(&mut self, mut take: impl FnMut(&str) -> io::Result<()>) -> anyhow::Result<()> {
        loop {
            let count = self.reader.read_until(b'\n', &mut self.begun);
            self.read_bytes += count.map_err(|error| unreadable(&self.path, error))? as u64;
            if !self.begun.ends_with(b"\n") {
                return Ok(());
            }
            take(String::from_utf8_lossy(&self.begun).trim_end())?;
            self.begun.clear();
        }
    }
}

fn metadata(path: &Path) -> Result<Option<Metadata>, Failure> {
    found(path, fs::metadata(path))
}

/// What is not there is no failure: it may come.
fn found<T>(path: &Path, result: io::Result<T>) -> Result<Option<T>, Failure> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(path, error)),
    }
}

fn unreadable(path: &Path, error: io::Error) -> Failure {
    let sentence = format!("the log {} cannot be read", path.display());
    Failure::new(sentence, "make it a file that you may read, or name another --data-dir")
        .because(error)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// A data folder's log, as it is written.
    struct Written {
        folder: tempfile::TempDir,
        log: Log,
    }

    impl Written {
        fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let log = Log::new(folder.path().join("logs/functions.jsonl"));
            Self { folder, log }
        }

        /// Appends words, a line each.
        fn append(&self, words: &str) {
            self.append_text(&words.split(' ').map(|word| format!("{word}\n")).collect::<String>());
        }

        fn append_text(&self, text: &str) {
            fs::create_dir_all(self.folder.path().join("logs")).expect("a folder");
            let file = fs::OpenOptions::new().create(true).append(true).open(&self.log.path);
            file.and_then(|mut file| file.write_all(text.as_bytes())).expect("written");
        }

        fn set_aside(&self) {
            fs::rename(&self.log.path, &self.log.aside_path).expect("renamed");
        }

        fn remove(&self) {
            fs::remove_file(&self.log.path).expect("removed");
        }

        /// Looks at the log, and compares the lines that this gives.
        #[track_caller]
        fn check(&mut self, expected: &str) {
            let mut lines = Vec::new();
            let read = self.log.read(|line| {
                lines.push(line.to_owned());
                Ok(())
            });
            read.expect("read");
            assert_eq!(lines.join(" "), expected);
        }
    }

    #[test]
    fn a_line_is_given_once_and_whole() {
        let mut written = Written::new();
        written.check("");
        assert!(written.log.is_absent());
        written.append_text("one\ntw");
        written.check("one");
        written.append_text("o\n");
        written.check("two");
        written.check("");
    }

    #[test]
    fn what_was_set_aside_comes_first_and_once() {
        let mut written = Written::new();
        written.append("one");
        written.set_aside();
        written.append("two");
        written.check("one two");
        written.remove();
        written.append("three");
        written.check("three");
    }

    #[test]
    fn a_log_whose_file_was_just_set_aside_is_there() {
        let mut written = Written::new();
        written.append("one");
        written.set_aside();
        written.check("one");
        assert!(!written.log.is_absent());
        written.append("two");
        written.check("two");
    }

    #[test]
    fn a_file_that_was_set_aside_is_read_to_its_end() {
        let mut written = Written::new();
        written.append("one");
        written.check("one");
        written.append("two");
        written.set_aside();
        written.append("a-longer-line-than-both");
        written.check("two a-longer-line-than-both");
        written.append("four");
        written.set_aside();
        written.check("four");
        written.append("five");
        written.check("five");
    }

    #[test]
    fn a_file_that_came_and_went_between_two_looks_is_read_where_it_was_set_aside() {
        let mut written = Written::new();
        written.append("one");
        written.set_aside();
        written.append("two");
        written.check("one two");
        written.append("three");
        for words in ["four", "five"] {
            written.set_aside();
            written.append(words);
        }
        written.check("three four five");
    }

    #[test]
    fn a_new_file_of_any_length_is_noticed() {
        for words in ["a", "bbb", "a-longer-line-than-before"] {
            let mut written = Written::new();
            written.append("one");
            written.check("one");
            written.append("two");
            written.remove();
            written.append(words);
            written.check(&format!("two {words}"));
        }
    }

    #[test]
    fn a_folder_that_was_made_anew_is_noticed() {
        let mut written = Written::new();
        written.append("one");
        written.set_aside();
        written.append("two");
        written.check("one two");
        fs::remove_dir_all(written.folder.path().join("logs")).expect("removed");
        written.check("");
        written.append("three");
        written.set_aside();
        written.append("four");
        written.check("three four");
    }

    #[test]
    fn an_emptied_file_is_read_from_its_start() {
        let mut written = Written::new();
        written.append("one two");
        written.check("one two");
        fs::write(&written.log.path, "").expect("written");
        written.append("three");
        written.check("three");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut log = Log::new(folder.path().to_owned());
        let error = log.read(|_| Ok(())).expect_err("a folder is no log");
        let path = folder.path().display();
        assert_eq!(error.to_string(), format!("the log {path} cannot be read"));
        assert!(error.is::<Failure>());
    }
}
