//! The corpus: each file and what it gets, as data.

use std::collections::BTreeMap;
use std::path::Path;

use afterimage::{Views, decode, reason};

use super::records::CATALOG;

/// The files of a folder of the corpus by their names without the extension.
fn corpus(folder: &str) -> BTreeMap<String, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let files = std::fs::read_dir(folder).expect("a corpus").map(|it| it.expect("a file").path());
    let named = files.map(|file| {
        let name = file.file_stem().and_then(|name| name.to_str()).expect("a name").to_owned();
        (name, std::fs::read_to_string(&file).expect("a text"))
    });
    named.collect()
}

/// Each file of the folder must get what the table says, and each line of the table needs a file.
#[track_caller]
fn check(folder: &str, table: &str, found: impl Fn(&str) -> String) {
    let found: Vec<_> =
        corpus(folder).iter().map(|(name, text)| format!("{name}: {}", found(text))).collect();
    let table: Vec<_> = table.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(found.join("\n"), table.join("\n"));
}

#[test]
fn every_record_is_decoded_or_refused_with_its_reason() {
    check("records", include_str!("../../corpus/records.txt"), |text| {
        match decode(&CATALOG, None, text).record {
            Err(error) => format!("no record, {}", reason(&error)),
            Ok(record) => match record.image {
                Err(error) => format!("a record of its item, {}", reason(&error)),
                Ok(_) => "decodes".to_owned(),
            },
        }
    });
}

#[test]
fn every_mistake_in_views_is_refused_with_its_reason() {
    check("views", include_str!("../../corpus/views.txt"), |text| {
        match Views::parse(text) {
            Ok(_) => "holds together".to_owned(),
            // Where in the text a syntax error stands is shown over several lines.
            Err(error) => reason(&error).lines().next().unwrap_or_default().to_owned(),
        }
    });
}
