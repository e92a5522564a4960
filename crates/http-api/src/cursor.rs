//! Cursors: where the next page begins, as an opaque text.
//!
//! A cursor is base64url of `{"v":1,"q":[…],"k":[…]}`: `q` is the query it belongs to (route and
//! parameters), `k` the part of the last item's key that the query does not determine. It names no
//! partition of its own, so a forged one reaches nothing that its query does not.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// The version that is written and read.
const VERSION: u8 = 1;

/// The longest cursor that is read. API Gateway takes 10,240 bytes of request line and headers
/// (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
const CURSOR_BYTES_MAX: usize = 16 * 1024;

/// A text that is no cursor, or a cursor of another query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this cursor belongs to another query, or to none; begin again without one")]
pub struct InvalidCursor;

/// Writes the cursor of a query (route and parameters) that continues behind a position.
#[must_use]
pub fn encode_cursor(query: &[&str], position: &[&str]) -> String {
    let written = serde_json::json!({ "v": VERSION, "q": query, "k": position });
    URL_SAFE_NO_PAD.encode(written.to_string())
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
    let json = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| InvalidCursor)?;
    let written: Written = serde_json::from_slice(&json).map_err(|_| InvalidCursor)?;
    let belongs = written.v == VERSION && written.q == query;
    if !belongs || written.k.iter().any(String::is_empty) {
        return Err(InvalidCursor);
    }
    written.k.try_into().map_err(|_| InvalidCursor)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    v: u8,
    q: Vec<String>,
    k: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<[String; 1], InvalidCursor> {
        decode_cursor(&URL_SAFE_NO_PAD.encode(json), &["list"])
    }

    #[test]
    fn only_a_cursor_of_the_query_is_read() {
        assert_eq!(read(r#"{"v":1,"q":["list"],"k":["x"]}"#), Ok(["x".to_owned()]));
        for json in [
            r#"{"v":2,"q":["list"],"k":["x"]}"#,
            r#"{"v":1,"q":["list","Rock"],"k":["x"]}"#,
            r#"{"v":1,"q":["list"],"k":[]}"#,
            r#"{"v":1,"q":["list"],"k":[""]}"#,
            r#"{"v":1,"q":["list"],"k":["x","y"]}"#,
            r#"{"v":1,"q":["list"],"k":["x"],"z":1}"#,
            "[]",
            "",
        ] {
            assert_eq!(read(json), Err(InvalidCursor), "{json}");
        }
        assert_eq!(decode_cursor::<1>(&"A".repeat(20_000), &["list"]), Err(InvalidCursor));
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
