//! Cursors: where the next page begins, as an opaque text.
//!
//! A cursor is base64url of a version byte, a hash of the query it belongs to (route and parameters) and of
//! what follows, and the part of the last item's key that the query does not determine, each text behind
//! its length. It names no partition of its own, so a forged one reaches nothing that its query does not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// The version that is written and read.
const VERSION: u8 = 3;

/// How many bytes of the SHA-256 a cursor holds. It tells a cursor of another query and one that was
/// altered on its way; having no key, it guards nothing.
const HASH_BYTES: usize = 16;

/// How many bytes a text's length takes.
const LENGTH_BYTES: usize = size_of::<usize>();

/// The longest cursor that is read, in characters. A position of 2048 and 1024 bytes, which is the most
/// that a key has, takes 4,140. API Gateway takes 10,240 bytes of request line and headers
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const CURSOR_BYTES_MAX: usize = 8 * 1024;

/// A text that is no cursor, or a cursor of another query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cursor belongs to another query, or to none; begin again without one")]
pub struct InvalidCursor;

/// Writes the cursor of a query (route and parameters) that continues behind a position.
#[must_use]
pub fn encode_cursor(query: &[&str], position: &[&str]) -> String {
    let mut behind = Vec::new();
    for part in position {
        behind.extend(part.len().to_be_bytes());
        behind.extend(part.as_bytes());
    }
    let mut bytes = vec![VERSION];
    bytes.extend(hash(query, &behind));
    bytes.extend(behind);
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads the position out of a cursor of this query; every part of it has 1 byte at least.
///
/// # Errors
/// [`InvalidCursor`] for anything that [`encode_cursor`] did not write for the same query.
pub fn decode_cursor<const PARTS: usize>(
    cursor: &str,
    query: &[&str],
) -> Result<[String; PARTS], InvalidCursor> {
    if cursor.len() > CURSOR_BYTES_MAX {
        return Err(InvalidCursor);
    }
    let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let (version, rest) = bytes.split_first().ok_or(InvalidCursor)?;
    let (written_hash, mut rest) = rest.split_first_chunk().ok_or(InvalidCursor)?;
    if *version != VERSION || *written_hash != hash(query, rest) {
        return Err(InvalidCursor);
    }
    let mut position = Vec::with_capacity(PARTS);
    while !rest.is_empty() {
        let (part, behind) =
            split_text(rest).filter(|(part, _)| !part.is_empty()).ok_or(InvalidCursor)?;
        position.push(part.to_owned());
        rest = behind;
    }
    position.try_into().map_err(|_| InvalidCursor)
}

/// The first text, and what is behind it.
fn split_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<LENGTH_BYTES>()?;
    let (text, behind) = rest.split_at_checked(usize::from_be_bytes(*length))?;
    Some((std::str::from_utf8(text).ok()?, behind))
}

/// The hash of a query and of the position as it is written.
fn hash(query: &[&str], position: &[u8]) -> [u8; HASH_BYTES] {
    let mut hash = Sha256::new();
    // Counts and lengths keep the parts apart: "ab" + "c" is not "a" + "bc".
    hash.update(query.len().to_be_bytes());
    for part in query {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hash.update(position);
    let mut short = [0; HASH_BYTES];
    short.iter_mut().zip(hash.finalize()).for_each(|(to, from)| *to = from);
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(query: &[&str], position: &[u8]) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        bytes.extend(hash(query, position));
        bytes.extend(position);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<[String; 1], InvalidCursor> {
        decode_cursor(&URL_SAFE_NO_PAD.encode(bytes), &["list"])
    }

    #[test]
    fn only_a_cursor_of_the_query_is_read() {
        assert_eq!(read(&written(&["list"], b"\0\0\0\0\0\0\0\x01x")), Ok(["x".to_owned()]));
        let mut other_version = written(&["list"], b"\0\0\0\0\0\0\0\x01x");
        other_version[0] = 2;
        let mut altered = written(&["list"], b"\0\0\0\0\0\0\0\x01x");
        *altered.last_mut().expect("a byte") = b'y';
        for bytes in [
            other_version,
            altered,
            written(&["list", "Rock"], b"\0\0\0\0\0\0\0\x01x"),
            written(&["li", "st"], b"\0\0\0\0\0\0\0\x01x"),
            written(&["list"], b""),
            written(&["list"], b"\0\0\0\0\0\0\0\0"),
            written(&["list"], b"\0\0\0\0\0\0\0\x02x"),
            written(&["list"], b"\xff\xff\xff\xff\xff\xff\xff\xffx"),
            written(&["list"], b"\0\0\0\0\0\0\0\x01\xff"),
            written(&["list"], b"\0\0\0\0\0\0\0\x01x\0\0\0\0\0\0\0\x01y"),
            written(&["list"], b"\0\0\0\0\0\0\0\x01xy"),
            Vec::new(),
        ] {
            assert_eq!(read(&bytes), Err(InvalidCursor), "{bytes:?}");
        }
        assert_eq!(decode_cursor::<1>(&"A".repeat(20_000), &["list"]), Err(InvalidCursor));
    }

    #[test]
    fn the_longest_keys_fit_a_request() {
        let (partition, sort) = ("\u{1}".repeat(2048), "\"".repeat(1024));
        let query = ["albums", "genre", &"\u{1}".repeat(2048)];
        let cursor = encode_cursor(&query, &[&partition, &sort]);
        assert_eq!(cursor.len(), 4_140);
        assert_eq!(decode_cursor(&cursor, &query), Ok([partition, sort]));
    }

    proptest! {
        #[test]
        fn cursors_read_back(query in prop::collection::vec(".{0,40}", 1..4), artist in ".{1,80}", album in ".{1,80}") {
            let query: Vec<&str> = query.iter().map(String::as_str).collect();
            let cursor = encode_cursor(&query, &[&artist, &album]);
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(decode_cursor(&cursor, &query), Ok([artist, album]));
            let mut other = query.clone();
            other.push("more");
            prop_assert_eq!(decode_cursor::<2>(&cursor, &other), Err(InvalidCursor));
        }

        #[test]
        fn garbage_is_refused(text in ".{0,200}") {
            prop_assert_eq!(decode_cursor::<1>(&text, &["list"]), Err(InvalidCursor));
        }
    }
}
