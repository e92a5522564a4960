use http_api::{InvalidCursor, decode_cursor, encode_cursor};
use proptest::prelude::*;

use crate::corpus::{check_table, inputs, mutated};

const QUERY: [&str; 3] = ["albums", "genre", "Rock"];

fn read(cursor: &[u8]) -> Result<[String; 2], InvalidCursor> {
    decode_cursor(&String::from_utf8_lossy(cursor), &QUERY)
}

#[test]
fn every_cursor_of_the_corpus_is_read_or_refused() {
    check_table(
        "cursors",
        [
            ("empty", "refused"),
            ("good", "Björk, Post"),
            ("length-beyond-the-end", "refused"),
            ("of-another-genre", "refused"),
            ("one-part", "refused"),
            ("padded", "refused"),
            ("standard-alphabet", "refused"),
            ("three-parts", "refused"),
            ("trailing-bits", "refused"),
            ("trailing-newline", "refused"),
            ("truncated", "refused"),
            ("version-2", "refused"),
        ],
        |cursor| read(cursor).map_or_else(|_| "refused".to_owned(), |it| it.join(", ")),
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_cursor_that_is_read_is_one_that_was_written(cursor in mutated(inputs("cursors"))) {
        if let Ok([artist, album]) = read(&cursor) {
            let written = encode_cursor(&QUERY, &[&artist, &album]);
            prop_assert_eq!(written.as_bytes(), cursor.as_slice());
        }
    }

    #[test]
    fn no_change_of_a_cursor_is_a_cursor(
        artist in ".{1,30}", album in ".{1,30}", at in any::<prop::sample::Index>(), bit in 0..7_u32
    ) {
        let cursor = encode_cursor(&QUERY, &[&artist, &album]);
        let mut altered = cursor.clone().into_bytes();
        let at = at.index(altered.len());
        altered[at] ^= 1 << bit;
        prop_assert_eq!(read(&altered), Err(InvalidCursor));
        prop_assert_eq!(read(&cursor.as_bytes()[..at]), Err(InvalidCursor));
    }
}
