//! Checkpoints: how far each shard of each stream is done.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::record::SequenceNumber;
use crate::durable_file;

/// A shard of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct ShardKey {
    /// The stream's ARN, as the Streams API gives it.
    pub stream_arn: String,
    /// The shard's id.
    pub shard_id: String,
}

/// How far a shard is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Checkpoint {
    /// The newest record that is done, with all before it.
    pub sequence_number: SequenceNumber,
    /// Whether the shard is closed, and this its last record.
    pub closed: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct CheckpointFile {
    #[serde(flatten)]
    shard: ShardKey,
    #[serde(flatten)]
    checkpoint: Checkpoint,
}

/// Keeps the checkpoints: in memory, and in one file for each shard where there is a directory. A
/// checkpoint is written after its records are done, so that a crash repeats records and loses none.
#[derive(Debug)]
pub struct CheckpointStore {
    directory: Option<PathBuf>,
    checkpoints: Mutex<HashMap<ShardKey, Checkpoint>>,
}

/// Why checkpoints could not be kept or read.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file, or the directory, does not work.
    #[error(
        "the checkpoint {path} could not be read or written; check the disk and its permissions"
    )]
    File {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file is damaged.
    #[error("the checkpoint {path} does not read; delete it to read the stream from its beginning")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser said.
        #[source]
        source: serde_json::Error,
    },
}

impl CheckpointStore {
    /// Checkpoints that are gone with the process.
    #[must_use]
    pub fn in_memory() -> Self {
        Self { directory: None, checkpoints: Mutex::default() }
    }

    /// The checkpoints of a directory, which is made where it is absent.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(directory: PathBuf) -> Result<Self, CheckpointError> {
        let failed = |source| CheckpointError::File { path: directory.clone(), source };
        fs::create_dir_all(&directory).map_err(failed)?;
        let mut checkpoints = HashMap::new();
        for entry in fs::read_dir(&directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|extension| extension == "json") {
                let CheckpointFile { shard, checkpoint } = read(&path)?;
                checkpoints.insert(shard, checkpoint);
            }
        }
        Ok(Self { directory: Some(directory), checkpoints: Mutex::new(checkpoints) })
    }

    /// How far a shard is done; `None` where nothing of it is.
    pub(crate) fn get(&self, shard: &ShardKey) -> Option<Checkpoint> {
        self.lock().get(shard).cloned()
    }

    /// Keeps how far a shard is done. In memory it counts at once, also where the file fails: then a
    /// restart repeats records.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub(crate) fn put(
        &self,
        shard: &ShardKey,
        checkpoint: Checkpoint,
    ) -> Result<(), CheckpointError> {
        self.lock().insert(shard.clone(), checkpoint.clone());
        let Some(directory) = &self.directory else {
            return Ok(());
        };
        let path = directory.join(file_name(shard));
        let file = CheckpointFile { shard: shard.clone(), checkpoint };
        let text = serde_json::to_vec(&file)
            .map_err(|source| CheckpointError::Damaged { path: path.clone(), source })?;
        durable_file::write(&path, &text)
            .map_err(|source| CheckpointError::File { path: path.clone(), source })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ShardKey, Checkpoint>> {
        self.checkpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(path: &Path) -> Result<CheckpointFile, CheckpointError> {
    let text =
        fs::read(path).map_err(|source| CheckpointError::File { path: path.to_owned(), source })?;
    serde_json::from_slice(&text)
        .map_err(|source| CheckpointError::Damaged { path: path.to_owned(), source })
}

/// `<table>--<label>--<shard>.json`: names of tables and shards have no other characters.
fn file_name(shard: &ShardKey) -> String {
    let mut parts = shard.stream_arn.split('/').skip(1);
    let (table, label) = (parts.next(), parts.nth(1));
    let part = |text: Option<&str>| text.unwrap_or("unknown").replace(':', ".");
    format!("{}--{}--{}.json", part(table), part(label), shard.shard_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(label: &str) -> ShardKey {
        let stream_arn = format!("arn:aws:dynamodb:x:0:table/things/stream/{label}");
        ShardKey { stream_arn, shard_id: "shardId-00000001-things".to_owned() }
    }

    fn checkpoint(number: &str) -> Checkpoint {
        Checkpoint { sequence_number: SequenceNumber::new(number), closed: false }
    }

    #[test]
    fn checkpoints_survive_a_restart() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("checkpoints");
        let store = CheckpointStore::open(path.clone()).expect("opened");
        assert_eq!(store.get(&shard("1.0")), None);
        store.put(&shard("1.0"), checkpoint("7")).expect("kept");
        store.put(&shard("1.0"), checkpoint("8")).expect("kept");
        store.put(&shard("2.0"), checkpoint("9")).expect("kept");
        let store = CheckpointStore::open(path.clone()).expect("opened again");
        assert_eq!(store.get(&shard("1.0")), Some(checkpoint("8")));
        assert_eq!(store.get(&shard("2.0")), Some(checkpoint("9")));
        let name = path.join("things--1.0--shardId-00000001-things.json");
        assert!(name.exists());
        fs::write(&name, "{").expect("damaged");
        let error = CheckpointStore::open(path).expect_err("damaged");
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{error}");
    }

    #[test]
    fn an_unfinished_file_is_no_checkpoint() {
        let directory = tempfile::tempdir().expect("a directory");
        fs::write(directory.path().join("things.unfinished"), "{").expect("written");
        assert!(CheckpointStore::open(directory.path().to_owned()).is_ok());
    }
}
