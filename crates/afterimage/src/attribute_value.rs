//! Attribute values and items, and their JSON form in stream records.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;

use crate::limits::NESTING_MAX;
use crate::number::{Number, NumberError};

/// An item, or an image of one: its attributes by name.
pub type Item = BTreeMap<String, AttributeValue>;

/// A DynamoDB attribute value
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html>).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AttributeValue {
    /// A string.
    S(String),
    /// A number.
    N(Number),
    /// Bytes.
    B(Vec<u8>),
    /// `true` or `false`.
    Bool(bool),
    /// Null.
    Null,
    /// A list.
    L(Vec<AttributeValue>),
    /// A map.
    M(Item),
    /// A set of strings.
    Ss(BTreeSet<String>),
    /// A set of numbers.
    Ns(BTreeSet<Number>),
    /// A set of byte strings.
    Bs(BTreeSet<Vec<u8>>),
}

impl AttributeValue {
    /// A string value.
    #[must_use]
    pub fn string(text: impl Into<String>) -> Self {
        AttributeValue::S(text.into())
    }

    /// A whole number.
    #[must_use]
    pub fn whole(number: u64) -> Self {
        AttributeValue::N(number.into())
    }

    /// The number, if the value is one without a fraction, and not negative.
    #[must_use]
    pub fn as_whole(&self) -> Option<u64> {
        match self {
            Self::N(number) => number.as_str().parse().ok(),
            _ => None,
        }
    }

    /// The text, if the value is a string.
    #[must_use]
    pub fn as_string(&self) -> Option<&str> {
        match self {
            AttributeValue::S(text) => Some(text),
            _ => None,
        }
    }

    /// The name of the value's type, as a sentence says it.
    #[must_use]
    pub const fn type_name(&self) -> &'static str {
        match self {
            AttributeValue::S(_) => "a string",
            AttributeValue::N(_) => "a number",
            AttributeValue::B(_) => "binary",
            AttributeValue::Bool(_) => "a boolean",
            AttributeValue::Null => "null",
            AttributeValue::L(_) => "a list",
            AttributeValue::M(_) => "a map",
            AttributeValue::Ss(_) => "a string set",
            AttributeValue::Ns(_) => "a number set",
            AttributeValue::Bs(_) => "a binary set",
        }
    }

    /// Bytes that the value takes in an item, never less than DynamoDB counts
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html>).
    #[must_use]
    pub fn byte_count(&self) -> usize {
        match self {
            AttributeValue::S(text) => text.len(),
            AttributeValue::N(number) => number_byte_count(number),
            AttributeValue::B(bytes) => bytes.len(),
            AttributeValue::Bool(_) | AttributeValue::Null => 1,
            AttributeValue::L(values) => {
                3 + values.iter().map(|value| 1 + value.byte_count()).sum::<usize>()
            }
            AttributeValue::M(item) => 3 + item.len() + item_byte_count(item),
            AttributeValue::Ss(texts) => texts.iter().map(String::len).sum(),
            AttributeValue::Ns(numbers) => numbers.iter().map(number_byte_count).sum(),
            AttributeValue::Bs(values) => values.iter().map(Vec::len).sum(),
        }
    }
}

/// Bytes of an item's names and values, never less than DynamoDB counts.
#[must_use]
pub fn item_byte_count(item: &Item) -> usize {
    item.iter().map(|(name, value)| name.len() + value.byte_count()).sum()
}

/// One byte for two digits, one for the sign and one for the exponent: an upper bound.
fn number_byte_count(number: &Number) -> usize {
    let digits = number.as_str().trim_matches('0').len();
    digits.div_ceil(2) + 2
}

/// Why JSON is not an item.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AttributeValueError {
    /// An item is not a JSON object.
    #[error("`{path}` is not a JSON object of attributes")]
    NotAnItem {
        /// Where it stands.
        path: String,
    },
    /// A value is not an object with exactly one known type.
    #[error("`{path}` is not one typed value such as {{\"S\": \"text\"}}")]
    NotTyped {
        /// Where it stands.
        path: String,
    },
    /// A value does not fit its type.
    #[error("`{path}` does not hold a value of its type {type_tag}")]
    WrongValue {
        /// Where it stands.
        path: String,
        /// The type that the JSON names.
        type_tag: String,
    },
    /// A number is none that DynamoDB can hold.
    #[error("`{path}` is no DynamoDB number")]
    BadNumber {
        /// Where it stands.
        path: String,
        /// What is wrong with it.
        #[source]
        source: NumberError,
    },
    /// Values are nested deeper than DynamoDB allows.
    #[error("`{path}` is nested deeper than {NESTING_MAX} levels")]
    TooDeep {
        /// Where it stands.
        path: String,
    },
}

/// Reads an item from DynamoDB's typed JSON, and keeps its texts rather than copies of them.
///
/// # Errors
/// [`AttributeValueError`] for the first value that is not exactly one typed value; `path` is where
/// the item stands, for the message.
pub fn item_from_json(path: &str, json: Value) -> Result<Item, AttributeValueError> {
    item_at(&Place::root(path), json)
}

/// The item in DynamoDB's typed JSON.
#[must_use]
pub fn item_to_json(item: &Item) -> Value {
    item.iter().map(|(name, value)| (name.clone(), value_to_json(value))).collect()
}

fn item_at(place: &Place<'_>, json: Value) -> Result<Item, AttributeValueError> {
    let Value::Object(object) = json else {
        return Err(AttributeValueError::NotAnItem { path: place.path() });
    };
    object
        .into_iter()
        .map(|(name, value)| {
            let value = value_at(&place.within(Step::Name(&name)), value)?;
            Ok((name, value))
        })
        .collect()
}

fn value_at(place: &Place<'_>, json: Value) -> Result<AttributeValue, AttributeValueError> {
    if place.depth > NESTING_MAX {
        return Err(AttributeValueError::TooDeep { path: place.path() });
    }
    let not_typed = || AttributeValueError::NotTyped { path: place.path() };
    let Value::Object(object) = json else { return Err(not_typed()) };
    let mut members = object.into_iter();
    let (Some((type_tag, inner)), None) = (members.next(), members.next()) else {
        return Err(not_typed());
    };
    let value = match (type_tag.as_str(), inner) {
        ("S", Value::String(text)) => Some(AttributeValue::S(text)),
        ("N", Value::String(text)) => Some(AttributeValue::N(number(place, &text)?)),
        ("B", Value::String(text)) => bytes(&text).map(AttributeValue::B),
        ("BOOL", Value::Bool(it)) => Some(AttributeValue::Bool(it)),
        ("NULL", Value::Bool(true)) => Some(AttributeValue::Null),
        ("M", inner) => Some(AttributeValue::M(item_at(&place.deeper(), inner)?)),
        ("L", Value::Array(values)) => Some(AttributeValue::L(values_at(place, values)?)),
        ("SS", inner) => set(&inner, |text| Some(text.to_owned())).map(AttributeValue::Ss),
        ("NS", inner) => set(&inner, |text| text.parse().ok()).map(AttributeValue::Ns),
        ("BS", inner) => set(&inner, bytes).map(AttributeValue::Bs),
        ("S" | "N" | "B" | "BOOL" | "NULL" | "L", _) => None,
        _ => return Err(not_typed()),
    };
    value.ok_or_else(|| AttributeValueError::WrongValue { path: place.path(), type_tag })
}

fn values_at(
    place: &Place<'_>,
    values: Vec<Value>,
) -> Result<Vec<AttributeValue>, AttributeValueError> {
    let deeper = place.deeper();
    let values = values.into_iter().enumerate();
    values.map(|(index, value)| value_at(&deeper.within(Step::Index(index)), value)).collect()
}

/// Where a value stands. Its path is put together only for an error: names may be 64 KB long, and a
/// value in a list or map has all those around it in its path.
#[derive(Clone, Copy)]
struct Place<'a> {
    around: Option<&'a Place<'a>>,
    step: Step<'a>,
    depth: usize,
}

#[derive(Clone, Copy)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
}

impl<'a> Place<'a> {
    fn root(name: &'a str) -> Self {
        Self { around: None, step: Step::Name(name), depth: 0 }
    }

    fn within(&'a self, step: Step<'a>) -> Self {
        Self { around: Some(self), step, depth: self.depth }
    }

    /// The same place, for the values inside the one that stands there.
    fn deeper(&self) -> Self {
        Self { depth: self.depth + 1, ..*self }
    }

    fn path(&self) -> String {
        let around = self.around.map(Place::path);
        match (around, self.step) {
            (None, Step::Name(name)) => name.to_owned(),
            (None, Step::Index(index)) => format!("[{index}]"),
            (Some(around), Step::Name(name)) => format!("{around}.{name}"),
            (Some(around), Step::Index(index)) => format!("{around}[{index}]"),
        }
    }
}

fn number(place: &Place<'_>, text: &str) -> Result<Number, AttributeValueError> {
    text.parse().map_err(|source| AttributeValueError::BadNumber { path: place.path(), source })
}

fn bytes(text: &str) -> Option<Vec<u8>> {
    BASE64.decode(text).ok()
}

/// A set: not empty, every member a string that `member` reads, none twice.
fn set<T: Ord>(json: &Value, member: impl Fn(&str) -> Option<T>) -> Option<BTreeSet<T>> {
    let members = json.as_array().filter(|members| !members.is_empty())?;
    let set: BTreeSet<T> =
        members.iter().map(|json| json.as_str().and_then(&member)).collect::<Option<_>>()?;
    (set.len() == members.len()).then_some(set)
}

fn value_to_json(value: &AttributeValue) -> Value {
    let (type_tag, inner): (&str, Value) = match value {
        AttributeValue::S(text) => ("S", text.as_str().into()),
        AttributeValue::N(number) => ("N", number.as_str().into()),
        AttributeValue::B(bytes) => ("B", BASE64.encode(bytes).into()),
        AttributeValue::Bool(it) => ("BOOL", (*it).into()),
        AttributeValue::Null => ("NULL", true.into()),
        AttributeValue::M(item) => ("M", item_to_json(item)),
        AttributeValue::L(values) => ("L", values.iter().map(value_to_json).collect()),
        AttributeValue::Ss(texts) => ("SS", texts.iter().map(String::as_str).collect()),
        AttributeValue::Ns(numbers) => ("NS", numbers.iter().map(Number::as_str).collect()),
        AttributeValue::Bs(values) => ("BS", values.iter().map(|it| BASE64.encode(it)).collect()),
    };
    Value::Object([(type_tag.to_owned(), inner)].into_iter().collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::collection::{btree_map, btree_set, vec};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_refused(json: &Value, expected: &str) {
        let error = item_from_json("NewImage", json.clone()).expect_err("must be refused");
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn values_that_are_no_item_are_refused_with_their_place() {
        check_refused(&json!([]), "`NewImage` is not a JSON object of attributes");
        check_refused(
            &json!({"a": "x"}),
            "`NewImage.a` is not one typed value such as {\"S\": \"text\"}",
        );
        check_refused(
            &json!({"a": {"S": "x", "N": "1"}}),
            "`NewImage.a` is not one typed value such as {\"S\": \"text\"}",
        );
        check_refused(&json!({"a": {"S": 5}}), "`NewImage.a` does not hold a value of its type S");
        check_refused(&json!({"a": {"N": "five"}}), "`NewImage.a` is no DynamoDB number");
        check_refused(
            &json!({"a": {"B": "%"}}),
            "`NewImage.a` does not hold a value of its type B",
        );
        check_refused(
            &json!({"a": {"NULL": false}}),
            "`NewImage.a` does not hold a value of its type NULL",
        );
        check_refused(
            &json!({"a": {"SS": []}}),
            "`NewImage.a` does not hold a value of its type SS",
        );
        check_refused(
            &json!({"a": {"NS": ["1", "1.0"]}}),
            "`NewImage.a` does not hold a value of its type NS",
        );
        check_refused(
            &json!({"a": {"L": [{"S": "x"}, {"X": "y"}]}}),
            "`NewImage.a[1]` is not one typed value such as {\"S\": \"text\"}",
        );
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |levels| (0..levels).fold(json!({"S": "x"}), |inner, _| json!({"L": [inner]}));
        assert!(item_from_json("it", json!({"a": nested(32)})).is_ok());
        let error = item_from_json("it", json!({"a": nested(33)})).expect_err("too deep");
        assert!(matches!(error, AttributeValueError::TooDeep { .. }), "{error}");
    }

    pub(crate) fn any_value() -> impl Strategy<Value = AttributeValue> {
        let leaf = prop_oneof![
            ".{0,12}".prop_map(AttributeValue::S),
            any::<i64>().prop_map(|number| AttributeValue::N(number.into())),
            vec(any::<u8>(), 0..9).prop_map(AttributeValue::B),
            any::<bool>().prop_map(AttributeValue::Bool),
            Just(AttributeValue::Null),
            btree_set(".{0,4}", 1..4).prop_map(AttributeValue::Ss),
            btree_set(any::<i64>().prop_map(Number::from), 1..4).prop_map(AttributeValue::Ns),
            btree_set(vec(any::<u8>(), 0..4), 1..4).prop_map(AttributeValue::Bs),
        ];
        leaf.prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(AttributeValue::L),
                btree_map("[a-z]{1,4}", inner, 0..4).prop_map(AttributeValue::M),
            ]
        })
    }

    proptest! {
        #[test]
        fn items_survive_their_json(item in btree_map("[a-z#]{1,5}", any_value(), 0..5)) {
            prop_assert_eq!(item_from_json("it", item_to_json(&item)), Ok(item));
        }
    }
}
