//! The data dir of a stack: what stands where in it, and its lock.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::StartError;

/// A data dir, held by this process until it is dropped.
#[derive(Debug)]
pub(super) struct DataDir {
    path: PathBuf,
    // The system lets go of the lock when the file is closed, also when the process is killed.
    _lock: File,
}

impl DataDir {
    /// Makes the directory where it is absent, and takes its lock.
    ///
    /// # Errors
    /// [`StartError::DataDirInUse`], and [`StartError::DataDirUnusable`]. Nothing is harmed then.
    pub(super) fn open(path: &Path) -> Result<Self, StartError> {
        let unusable =
            |source: io::Error| StartError::DataDirUnusable { path: path.to_owned(), source };
        fs::create_dir_all(path).map_err(unusable)?;
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path.join("lock"))
            .map_err(unusable)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => {
                Err(StartError::DataDirInUse { path: path.to_owned() })
            }
            Err(TryLockError::Error(source)) => Err(unusable(source)),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn database(&self) -> PathBuf {
        self.path.join("dynamodb.sqlite")
    }

    pub(super) fn checkpoints(&self) -> PathBuf {
        self.path.join("checkpoints")
    }

    pub(super) fn on_failure(&self) -> PathBuf {
        self.path.join("on-failure")
    }

    pub(super) fn keys(&self) -> PathBuf {
        self.path.join("keys")
    }

    /// Written when the first start has seeded, or was told not to.
    pub(super) fn seeded(&self) -> PathBuf {
        self.path.join("seeded")
    }
}

/// Where the functions' logs of a data dir stand.
#[must_use]
pub fn function_log(data_dir: &Path) -> PathBuf {
    data_dir.join("logs").join("functions.jsonl")
}
