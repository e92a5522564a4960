//! Items as plain JSON: attribute names with the values that a reader expects.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::ser::{Error, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::{Item, Origin, StoreError};

impl Origin<'_> {
    /// An item as a JSON object, names in order, every attribute in it. Numbers keep every digit that is
    /// stored: a decimal is written as it is, where `serde_dynamo` would read a number of unknown type
    /// into a float. Binary values are base64, sets are arrays.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] for an attribute of a type that this version does not know.
    pub fn plain_json(&self, item: &Item) -> Result<Box<RawValue>, StoreError> {
        let mut attributes = BTreeMap::new();
        for (name, value) in item {
            let json = serde_json::value::to_raw_value(&Plain(value))
                .map_err(|_| self.malformed(item, name))?;
            attributes.insert(name, json);
        }
        serde_json::value::to_raw_value(&attributes).map_err(|error| StoreError::Failed {
            operation: "writing JSON",
            source: Box::new(error),
        })
    }
}

struct Plain<'item>(&'item AttributeValue);

impl Serialize for Plain<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            AttributeValue::S(text) => serializer.serialize_str(text),
            AttributeValue::N(decimal) => Decimal(decimal).serialize(serializer),
            AttributeValue::Bool(truth) => serializer.serialize_bool(*truth),
            AttributeValue::Null(_) => serializer.serialize_unit(),
            AttributeValue::B(blob) => serializer.serialize_str(&STANDARD.encode(blob)),
            AttributeValue::L(values) => serializer.collect_seq(values.iter().map(Plain)),
            AttributeValue::M(map) => {
                let sorted: BTreeMap<_, _> = map.iter().collect();
                serializer.collect_map(sorted.into_iter().map(|(name, it)| (name, Plain(it))))
            }
            AttributeValue::Ss(texts) => serializer.collect_seq(texts),
            AttributeValue::Ns(decimals) => {
                serializer.collect_seq(decimals.iter().map(|decimal| Decimal(decimal)))
            }
            AttributeValue::Bs(blobs) => {
                serializer.collect_seq(blobs.iter().map(|blob| STANDARD.encode(blob)))
            }
            // The SDK's enum is open: types may come that this version cannot show.
            _ => Err(S::Error::custom("an attribute of an unknown type")),
        }
    }
}

/// A number as DynamoDB sends it: a decimal of up to 38 digits, which is a JSON number as it stands.
struct Decimal<'item>(&'item str);

impl Serialize for Decimal<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_number = self.0.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        if !is_number {
            return Err(S::Error::custom("not a number"));
        }
        let raw = RawValue::from_string(self.0.to_owned()).map_err(S::Error::custom)?;
        raw.serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_dynamodb::primitives::Blob;

    #[track_caller]
    fn check(value: AttributeValue, expected: &str) {
        let item = Item::from([("it".to_owned(), value)]);
        let origin = Origin { table: "t", key: ["pk", "sk"] };
        let found =
            origin.plain_json(&item).map_or_else(|error| error.to_string(), |it| it.to_string());
        assert_eq!(found, expected);
    }

    #[test]
    fn every_type_is_shown() {
        let number = |text: &str| AttributeValue::N(text.to_owned());
        check(AttributeValue::S("Sigur Rós \"( )\"".to_owned()), r#"{"it":"Sigur Rós \"( )\""}"#);
        check(number("77"), r#"{"it":77}"#);
        check(number("-1.10"), r#"{"it":-1.10}"#);
        check(
            number("12345678901234567890.123456789012345678"),
            r#"{"it":12345678901234567890.123456789012345678}"#,
        );
        check(number("1E+100"), r#"{"it":1E+100}"#);
        check(AttributeValue::Bool(true), r#"{"it":true}"#);
        check(AttributeValue::Null(true), r#"{"it":null}"#);
        check(AttributeValue::B(Blob::new([1, 2, 255])), r#"{"it":"AQL/"}"#);
        check(AttributeValue::Ns(vec!["1".to_owned(), "2.5".to_owned()]), r#"{"it":[1,2.5]}"#);
        check(AttributeValue::Ss(vec!["a".to_owned()]), r#"{"it":["a"]}"#);
        check(AttributeValue::Bs(vec![Blob::new([0])]), r#"{"it":["AA=="]}"#);
        let map = Item::from([("b".to_owned(), number("1")), ("a".to_owned(), number("2"))]);
        check(AttributeValue::L(vec![AttributeValue::M(map)]), r#"{"it":[{"a":2,"b":1}]}"#);
        check(number("\"x\""), "the item with no pk, no sk of table t has no valid attribute `it`");
    }
}
