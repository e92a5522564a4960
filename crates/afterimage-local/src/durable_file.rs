//! Files that are there whole or not at all, whatever happens meanwhile.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Writes a file in place of an older one, and makes sure that it survives a crash.
///
/// # Errors
/// What the system says; the older file stands then.
pub(crate) fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    replace(path, content, &mut OpenOptions::new())
}

/// As [`write`], readable by the owner alone.
///
/// # Errors
/// As [`write`].
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    replace(path, content, &mut options)
}

fn replace(path: &Path, content: &[u8], options: &mut OpenOptions) -> io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    // One of an interrupted start may be left over, with other permissions.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        Ok(()) | Err(_) => {}
    }
    let mut file = options.write(true).create_new(true).open(&unfinished)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    match path.parent() {
        Some(directory) => File::open(directory)?.sync_all(),
        None => Ok(()),
    }
}
