//! Items and values in DynamoDB's JSON: each value is an object with one member, named by its type.

use serde_json::{Map, Value, json};

use super::OracleError;
use super::number;

/// The type of a value, and what it holds.
pub(super) fn typed(value: &Value) -> Option<(&str, &Value)> {
    let mut members = value.as_object()?.iter();
    let (tag, inner) = members.next()?;
    members.next().is_none().then_some((tag.as_str(), inner))
}

/// The text of an attribute that is a string; `None` if it is absent or something else.
pub(super) fn string<'a>(item: &'a Value, attribute: &str) -> Option<&'a str> {
    match typed(item.get(attribute)?)? {
        ("S", text) => text.as_str(),
        _ => None,
    }
}

/// The same item in one form: numbers in canonical decimal, sets in one order. Two items are equal if
/// and only if these are.
pub(super) fn canonical_item(table: &str, item: &Value) -> Result<Value, OracleError> {
    let invalid = |problem: String| OracleError::Item { table: table.to_owned(), problem };
    let attributes = item.as_object().ok_or_else(|| invalid("it is not an object".to_owned()))?;
    let mut canonical_attributes = Map::new();
    for (name, value) in attributes {
        let problem = || format!("attribute `{name}` is not a value in DynamoDB's JSON");
        let value = canonical(value).ok_or_else(|| invalid(problem()))?;
        canonical_attributes.insert(name.clone(), value);
    }
    Ok(Value::Object(canonical_attributes))
}

fn canonical(value: &Value) -> Option<Value> {
    let (tag, inner) = typed(value)?;
    let inner = match tag {
        "S" | "B" if inner.is_string() => inner.clone(),
        "BOOL" if inner.is_boolean() => inner.clone(),
        "NULL" => json!(true),
        "N" => json!(number::canonical(inner.as_str()?)?),
        "SS" | "BS" => sorted(inner, |text| Some(text.to_owned()))?,
        "NS" => sorted(inner, number::canonical)?,
        "L" => inner.as_array()?.iter().map(canonical).collect::<Option<Value>>()?,
        "M" => {
            let members = inner.as_object()?.iter();
            let members = members.map(|(name, value)| Some((name.clone(), canonical(value)?)));
            Value::Object(members.collect::<Option<_>>()?)
        }
        _ => return None,
    };
    Some(json!({ tag: inner }))
}

fn sorted(set: &Value, member: impl Fn(&str) -> Option<String>) -> Option<Value> {
    let members = set.as_array()?.iter().map(|it| member(it.as_str()?));
    let mut members: Vec<_> = members.collect::<Option<_>>()?;
    members.sort_unstable();
    Some(json!(members))
}
