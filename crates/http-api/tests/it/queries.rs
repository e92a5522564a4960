use http_api::{LIMIT_MAX, Parameters};
use lambda_http::http::Uri;
use proptest::prelude::*;
use serde_json::json;

use crate::corpus::{check_table, inputs, mutated};

/// `genre` and `limit` of an event with this query; `None` for what is no query of a URI.
fn read(query: &[u8]) -> Option<Result<(Option<String>, u16), String>> {
    let query = std::str::from_utf8(query).ok()?;
    format!("/?{query}").parse::<Uri>().ok().filter(|_| !query.contains('#'))?;
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/", "rawQueryString": query,
        "headers": { "host": "localhost" }, "isBase64Encoded": false,
        "requestContext": {
            "stage": "$default", "timeEpoch": 0, "http": { "method": "GET", "path": "/" },
        },
    });
    let request = lambda_http::request::from_str(&event.to_string()).expect("an event");
    let read = Parameters::of(&request, &["genre", "limit"])
        .and_then(|mut parameters| Ok((parameters.take("genre"), parameters.limit(100)?)));
    Some(read.map_err(|error| error.to_string()))
}

#[test]
fn every_query_of_the_corpus_is_read_or_refused_by_name() {
    let limit = "`limit` must be a whole number from 1 to 1000";
    let utf_8 = "the query is not UTF-8 behind its escapes";
    check_table(
        "queries",
        [
            ("ampersands", "(None, 100)"),
            ("array-suffix", "there is no parameter `limit[]`; known are genre, limit"),
            ("double-escape", r#"(Some("%00"), 100)"#),
            ("empty", "(None, 100)"),
            ("good", r#"(Some("Folk, World & Country"), 7)"#),
            ("half-escape", r#"(Some("100%"), 100)"#),
            ("limit-arabic-digit", limit),
            ("limit-empty", "the parameter `limit` is empty; leave it out"),
            ("limit-huge", limit),
            ("limit-negative", limit),
            ("limit-no-number", limit),
            ("limit-plus", limit),
            ("limit-twice", "the parameter `limit` is given twice"),
            ("limit-twice-escaped", "the parameter `limit` is given twice"),
            ("limit-without-value", "the parameter `limit` is empty; leave it out"),
            ("limit-zero", limit),
            ("not-utf-8", utf_8),
            ("nul", r#"(Some("\0"), 100)"#),
            ("surrogate", utf_8),
            ("unknown", "there is no parameter `page`; known are genre, limit"),
        ],
        |query| match read(query).expect("a query of a URI") {
            Ok(read) => format!("{read:?}"),
            Err(error) => error,
        },
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_query_that_is_read_says_what_was_read(query in mutated(inputs("queries"))) {
        if let Some(Ok((genre, limit))) = read(&query) {
            prop_assert!((1..=LIMIT_MAX).contains(&limit));
            let genre_again = genre.as_ref().map(|it| {
                it.bytes().fold("&genre=".to_owned(), |text, byte| text + &format!("%{byte:02x}"))
            });
            let again = format!("limit={limit}{}", genre_again.unwrap_or_default());
            prop_assert_eq!(read(again.as_bytes()), Some(Ok((genre, limit))));
        }
    }
}
