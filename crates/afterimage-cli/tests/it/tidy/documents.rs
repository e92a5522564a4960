//! `README.md` and `ARCHITECTURE.md`.

use std::collections::BTreeSet;

use super::{crates, files, text};
use crate::program::repository;

#[test]
fn the_architecture_names_every_crate_and_no_other() {
    let architecture = text("ARCHITECTURE.md");
    let named: BTreeSet<String> = architecture
        .split("crates/")
        .skip(1)
        .map(|rest| rest.chars().take_while(|it| it.is_ascii_lowercase() || *it == '-').collect())
        .filter(|name: &String| !name.is_empty())
        .collect();
    assert_eq!(named, crates().into_iter().collect(), "ARCHITECTURE.md, as crates/NAME");
}

#[test]
fn the_documents_name_files_that_exist() {
    for document in ["README.md", "ARCHITECTURE.md"] {
        for word in text(document).split(['`', '(', ')', ' ', '\n']) {
            let word = word.trim_end_matches([',', '.', ':', ';']);
            let is_path =
                ["crates/", "events/", "schema/", ".ci/"].iter().any(|it| word.starts_with(it));
            if is_path && !word.contains(['*', '{', '<', '…']) {
                assert!(repository().join(word).exists(), "{document} names {word}");
            }
        }
    }
}

#[test]
fn the_architecture_names_sources_that_exist() {
    let sources = files("crates");
    for name in text("ARCHITECTURE.md").split('`').skip(1).step_by(2) {
        let exists = || sources.iter().any(|it| it == name || it.ends_with(&format!("/{name}")));
        assert!(!name.ends_with(".rs") || exists(), "ARCHITECTURE.md names {name}");
    }
}

#[test]
fn the_readme_gives_the_commands_that_are_checked() {
    let test_command = "cargo test --workspace";
    let readme = text("README.md");
    let given = |command: &str| readme.lines().any(|line| line.trim() == command);
    assert!(given("cargo run -- up") || readme.contains("`cargo run -- up`"), "the first command");
    assert!(given(test_command) || readme.contains(&format!("`{test_command}`")), "the second");
    let checked = text(".ci/run");
    assert!(checked.lines().any(|line| line == test_command), ".ci/run runs {test_command}");
}
