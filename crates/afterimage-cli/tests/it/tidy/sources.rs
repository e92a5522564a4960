//! The files themselves.

use super::{crates, files, text, text_if_there};

/// A longer file is two files.
const LINES_MAX: usize = 500;

#[test]
fn files_are_short_and_whole() {
    let marks =
        [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("#[ig", "nore"), concat!("dbg", "!(")];
    for path in files("crates").iter().filter(|path| path.ends_with(".rs")) {
        let Some(text) = text_if_there(path) else { continue };
        assert!(text.lines().count() <= LINES_MAX, "{path} is over {LINES_MAX} lines long");
        let says_what_it_is = text.starts_with("//!");
        let is_test = path.contains("/tests/") || path.ends_with("/tests.rs");
        assert!(is_test || says_what_it_is, "{path} does not say what it is");
        for mark in marks {
            assert!(!text.contains(mark), "{path} holds {mark}");
        }
    }
}

#[test]
fn nothing_names_a_folder_of_one_machine() {
    let folders = ["crates", "events", "schema", ".ci"];
    let found = folders.iter().flat_map(|folder| files(folder));
    let found = found.filter_map(|path| text_if_there(&path).map(|text| (path, text)));
    let top = [
        ".cargo/config.toml",
        "Cargo.toml",
        "README.md",
        "ARCHITECTURE.md",
        "template.yaml",
        "views.toml",
        "deny.toml",
    ];
    for (path, text) in found.chain(top.map(|path| (path.to_owned(), text(path)))) {
        for home in [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")] {
            assert!(!text.contains(home), "{path} names {home}");
        }
    }
}

#[test]
fn binaries_are_thin() {
    let mains = files("crates")
        .into_iter()
        .filter(|path| path.ends_with("/src/main.rs") || path.contains("/src/bin/"));
    for path in mains {
        assert!(text(&path).lines().count() <= 40, "{path} is over 40 lines long");
    }
}

#[test]
fn a_crate_is_named_as_its_folder_and_takes_the_shared_settings() {
    for name in crates() {
        let manifest = text(&format!("crates/{name}/Cargo.toml"));
        assert!(manifest.contains(&format!("[package]\nname = \"{name}\"\n")), "{name}");
        assert!(manifest.contains("[lints]\nworkspace = true\n"), "{name}");
        for setting in ["version", "edition", "rust-version", "license", "publish"] {
            assert!(
                manifest.contains(&format!("\n{setting}.workspace = true\n")),
                "{name}: {setting}"
            );
        }
    }
}
