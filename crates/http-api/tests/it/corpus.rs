//! The files of `tests/corpus`, and mutations of them.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::Index;

/// Parts that readers have stumbled over, spliced into good input.
const PARTS: [&[u8]; 24] = [
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"\xff",
    b"\xc0\x80",
    b"\xef\xbb\xbf",
    b"\0",
    b"{",
    b"}",
    b"[[[[[[[[",
    b",",
    b":",
    b"null",
    b"-0",
    b"1e400",
    b"999999999999999999999999999999999999999",
    b"1.0",
    b",\"name\":\"x\"",
    b"&limit=1",
    b"%",
    b"%00",
    b"%ff",
    b"+",
];

/// The inputs of a folder by their file names.
pub fn inputs(folder: &str) -> Vec<(String, Vec<u8>)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(folder);
    let mut found: Vec<(String, Vec<u8>)> = fs::read_dir(path)
        .expect("a folder")
        .map(|entry| {
            let path = entry.expect("an entry").path();
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read(path).expect("a file"))
        })
        .collect();
    found.sort();
    found
}

/// Checks every input of a folder against its line of a table; every file has a line.
#[track_caller]
pub fn check_table<const LINES: usize>(
    folder: &str,
    table: [(&str, &str); LINES],
    read: impl Fn(&[u8]) -> String,
) {
    let inputs = inputs(folder);
    let found: Vec<(&str, String)> =
        inputs.iter().map(|(name, input)| (name.as_str(), read(input))).collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(name, it)| (*name, it.as_str())).collect();
    assert_eq!(found, table);
}

/// One to three changes of one of these inputs: a bit flipped, a part removed, repeated or put in.
pub fn mutated(inputs: Vec<(String, Vec<u8>)>) -> impl Strategy<Value = Vec<u8>> {
    let change = (0..4_u8, any::<Index>(), any::<Index>(), 0..PARTS.len(), 0..8_u32);
    (prop::sample::select(inputs), prop::collection::vec(change, 1..4)).prop_map(
        |((_, mut bytes), changes)| {
            for (kind, at, end, part, bit) in changes {
                let (at, end) = (at.index(bytes.len() + 1), end.index(bytes.len() + 1));
                let range = at.min(end)..at.max(end);
                match kind {
                    0 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << bit),
                    1 => drop(bytes.drain(range)),
                    2 => {
                        let repeated = bytes[range.clone()].to_vec();
                        drop(bytes.splice(range.start..range.start, repeated));
                    }
                    _ => drop(bytes.splice(at..at, PARTS[part].iter().copied())),
                }
            }
            bytes
        },
    )
}
