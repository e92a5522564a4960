//! What a reader relies on: fixtures are used, the template says what the schema says, the documents
//! name what exists.

mod documents;
mod events;
mod sources;
mod template;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::program::repository;

/// The text of a file of the repository.
#[track_caller]
fn text(path: &str) -> String {
    let full = repository().join(path);
    std::fs::read_to_string(&full).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The text of a file that was found under a folder; nothing where it is gone again, as an editor's own may be.
#[track_caller]
fn text_if_there(path: &str) -> Option<String> {
    match std::fs::read_to_string(repository().join(path)) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => panic!("{path}: {error}"),
    }
}

/// Every file under a folder of the repository, by its path from the root, in name order, without hidden ones
/// and an editor's copies.
fn files(folder: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(&repository().join(folder), &mut found);
    let root = repository();
    let mut paths: Vec<String> = found
        .iter()
        .map(|path| path.strip_prefix(&root).expect("inside").display().to_string())
        .collect();
    paths.sort();
    paths
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let (path, name) = (entry.path(), entry.file_name().display().to_string());
        if name.starts_with('.') || name.ends_with('~') || name.ends_with(".swp") {
            continue;
        }
        if path.is_dir() {
            collect(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The names of the folders under `crates/`.
fn crates() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(repository().join("crates"))
        .expect("the crates")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.join("Cargo.toml").is_file())
        .filter_map(|path| path.file_name()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    names
}
