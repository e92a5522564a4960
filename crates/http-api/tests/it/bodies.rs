use http_api::{FieldError, Fields};
use proptest::prelude::*;
use serde_json::{Map, Value};

use crate::corpus::{check_table, inputs, mutated};

const KNOWN: [&str; 2] = ["name", "size"];

/// `name` and `size` as they were read.
fn read(json: &[u8]) -> Result<(Option<String>, Option<u64>), FieldError> {
    let mut fields = Fields::parse(json, &KNOWN)?;
    Ok((fields.take_text("name")?, fields.take_integer("size")?))
}

#[test]
fn every_body_of_the_corpus_is_read_or_refused_by_name() {
    let whole = "`size` must be a whole number";
    let not_json = |column: &str| format!("this is not JSON: see line 1, column {column}");
    check_table(
        "bodies",
        [
            ("array.json", "this must be a JSON object"),
            ("bom.json", &not_json("1")),
            ("control-character.json", &not_json("11")),
            ("deep-array.json", &not_json("136")),
            ("deep-object.json", &not_json("1017")),
            ("duplicate-key-escaped.json", "`name` is given twice"),
            ("duplicate-key.json", "`name` is given twice"),
            ("empty.json", &not_json("0")),
            ("escaped-control-characters.json", r#"Ok((Some("\0\u{1}\u{7f}"), None))"#),
            ("good.json", r#"Ok((Some("Björk"), Some(3)))"#),
            ("lone-surrogate.json", &not_json("17")),
            ("longest-integer.json", "Ok((None, Some(18446744073709551615)))"),
            ("nan.json", &not_json("10")),
            ("number-1e2.json", whole),
            ("number-1e400.json", &not_json("14")),
            ("number-39-digits.json", whole),
            ("number-hex.json", &not_json("11")),
            ("number-minus-zero.json", whole),
            ("number-too-long.json", whole),
            ("number-with-fraction.json", whole),
            (
                "raw-value-marker.json",
                "there is no attribute `$serde_json::private::RawValue`; known are name, size",
            ),
            ("surrogate-pair.json", r#"Ok((Some("𝄞"), None))"#),
            ("trailing-comma.json", &not_json("14")),
            ("two-objects.json", &not_json("15")),
            ("unknown-key.json", "there is no attribute `__proto__`; known are name, size"),
        ],
        |json| match read(json) {
            Ok(read) => format!("Ok({read:?})"),
            Err(error) => error.to_string(),
        },
    );
}

#[test]
fn bytes_that_are_no_utf_8_are_no_json() {
    for text in [b"\xff".as_slice(), b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"] {
        let json = [b"{\"name\": \"", text, b"\"}"].concat();
        assert_eq!(read(&json), Err(FieldError::NotJson { line: 1, column: 11 }), "{text:x?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn a_body_that_is_read_says_what_was_read(json in mutated(inputs("bodies"))) {
        if let Ok((name, size)) = read(&json) {
            let object: Map<String, Value> = serde_json::from_slice(&json).expect("an object");
            prop_assert_eq!(object.get("name").and_then(Value::as_str), name.as_deref());
            prop_assert_eq!(object.get("size").and_then(Value::as_u64), size);
            prop_assert!(object.keys().all(|name| KNOWN.contains(&name.as_str())));
        }
    }

    #[test]
    fn a_refusal_is_one_short_sentence(json in mutated(inputs("bodies"))) {
        if let Err(error) = read(&json) {
            prop_assert!(error.to_string().len() < 400, "{}", error);
        }
    }
}
