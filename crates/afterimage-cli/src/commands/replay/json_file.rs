//! The JSON values of a file.

use serde_json::Deserializer;
use serde_json::value::RawValue;

use crate::failure::Failure;

/// What a file holds, as text. A byte order mark at its beginning is left out.
///
/// # Errors
/// If it is not UTF-8; the sentence says what it is, or which line is not.
pub fn text(name: &str, bytes: Vec<u8>) -> Result<String, Failure> {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Err(Failure::new(
            format!("{name} is UTF-16 text, as `>` writes it in Windows PowerShell"),
            "save it as UTF-8, for example with `| Set-Content -Encoding utf8`",
        ));
    }
    // RFC 1952, 2.3.1.
    if bytes.starts_with(&[0x1f, 0x8b]) {
        let sentence = format!("{name} is compressed by gzip");
        return Err(Failure::new(sentence, "decompress it with `gunzip` first"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = error.as_bytes().get(..error.utf8_error().valid_up_to()).unwrap_or_default();
        let sentence = format!("{name} is not text: line {} is not UTF-8", line_after(before));
        Failure::new(sentence, "give a file with JSON in UTF-8")
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

fn line_after(before: &[u8]) -> usize {
    before.iter().filter(|byte| **byte == b'\n').count().saturating_add(1)
}

/// The JSON values of a text: one, or several after another, such as one per line.
///
/// # Errors
/// If something is not JSON; the sentence says at which line.
pub fn values(name: &str, text: &str) -> Result<Vec<Box<RawValue>>, Failure> {
    let values = Deserializer::from_str(text).into_iter().collect::<Result<_, serde_json::Error>>();
    values.map_err(|error| {
        let sentence = format!("{name} is not JSON at line {}", error.line());
        let next = "correct the file: it holds one JSON value, or several after another";
        Failure::new(sentence, next).because(error)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let read = text("f", bytes.to_vec()).and_then(|text| values("f", &text));
        let found = match read {
            Ok(values) => values.iter().map(|it| it.get()).collect::<Vec<_>>().join("|"),
            Err(failure) => failure.sentence,
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn values_follow_one_another() {
        check(b"", "");
        check(b" \r\n", "");
        check(b"{\"a\": 1}", "{\"a\": 1}");
        check(b"{\"a\": 1}\n{\"b\": 2}\r\n\n[3]\n", "{\"a\": 1}|{\"b\": 2}|[3]");
        check(b"{\n  \"a\": 1\n}{\"b\": 2}", "{\n  \"a\": 1\n}|{\"b\": 2}");
        check(b"\xef\xbb\xbf{}", "{}");
    }

    #[test]
    fn what_is_not_json_is_named_with_its_line() {
        check(b"Rank,Year\n1,2\n", "f is not JSON at line 1");
        check(b"{}\n{}\n{\"a\": }\n", "f is not JSON at line 3");
        check(b"{\"a\": 1", "f is not JSON at line 1");
        check(b"{},\n{}", "f is not JSON at line 1");
        check(b"{}\n{\"a\": \"\xff\"}", "f is not text: line 2 is not UTF-8");
        check(b"\xff\xfe{\0}\0", "f is UTF-16 text, as `>` writes it in Windows PowerShell");
        check(b"\x1f\x8b\x08\0", "f is compressed by gzip");
    }
}
