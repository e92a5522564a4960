//! Items as text: DynamoDB's own JSON, which loses nothing, and one line for people.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// An attribute of a type that this version of the SDK does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnknownType;

impl std::fmt::Display for UnknownType {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an attribute has a type that this version does not know")
    }
}

impl std::error::Error for UnknownType {}

/// The item in DynamoDB's JSON (`{"Artist": {"S": …}}`), attributes and sets in sorted order, so
/// that equal items are equal texts.
pub fn to_json(item: &HashMap<String, AttributeValue>) -> Result<Value, UnknownType> {
    let mut attributes: Vec<_> = item.iter().collect();
    attributes.sort_by_key(|(name, _)| *name);
    let mut object = Map::new();
    for (name, value) in attributes {
        object.insert(name.clone(), value_to_json(value)?);
    }
    Ok(Value::Object(object))
}

fn value_to_json(value: &AttributeValue) -> Result<Value, UnknownType> {
    let bytes = |blob: &aws_sdk_dynamodb::primitives::Blob| STANDARD.encode(blob.as_ref());
    Ok(match value {
        AttributeValue::S(text) => json!({ "S": text }),
        AttributeValue::N(number) => json!({ "N": number }),
        AttributeValue::B(blob) => json!({ "B": bytes(blob) }),
        AttributeValue::Bool(boolean) => json!({ "BOOL": boolean }),
        AttributeValue::Null(is_null) => json!({ "NULL": is_null }),
        AttributeValue::M(map) => json!({ "M": to_json(map)? }),
        AttributeValue::L(list) => {
            json!({ "L": list.iter().map(value_to_json).collect::<Result<Vec<_>, _>>()? })
        }
        AttributeValue::Ss(texts) => json!({ "SS": sorted(texts.clone()) }),
        AttributeValue::Ns(numbers) => json!({ "NS": sorted(numbers.clone()) }),
        AttributeValue::Bs(blobs) => json!({ "BS": sorted(blobs.iter().map(bytes).collect()) }),
        _ => return Err(UnknownType),
    })
}

/// The item on one line, the attributes named first in front: `Artist=AC/DC  Album=Back in Black`.
pub fn to_line(
    item: &HashMap<String, AttributeValue>,
    first: &[&str],
) -> Result<String, UnknownType> {
    let mut names: Vec<&str> = item.keys().map(String::as_str).collect();
    names
        .sort_by_key(|name| (!first.contains(name), first.iter().position(|it| it == name), *name));
    let mut parts = Vec::new();
    for name in names {
        let text = match item.get(name) {
            Some(AttributeValue::S(text) | AttributeValue::N(text)) => text.clone(),
            Some(AttributeValue::Bool(boolean)) => boolean.to_string(),
            Some(other) => value_to_json(other)?.to_string(),
            None => continue,
        };
        parts.push(format!("{name}={}", on_one_line(&text)));
    }
    Ok(parts.join("  "))
}

/// The text with its line breaks and other control characters escaped.
pub fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            line.extend(character.escape_default());
        } else {
            line.push(character);
        }
    }
    line
}

fn sorted(mut members: Vec<String>) -> Vec<String> {
    members.sort();
    members
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> HashMap<String, AttributeValue> {
        HashMap::from([
            ("sk".to_owned(), AttributeValue::S("b\nc".to_owned())),
            ("pk".to_owned(), AttributeValue::S("a".to_owned())),
            ("Tags".to_owned(), AttributeValue::Ss(vec!["y".to_owned(), "x".to_owned()])),
        ])
    }

    #[test]
    fn json_is_sorted_and_typed() {
        let text = to_json(&item()).map(|json| json.to_string());
        assert_eq!(
            text.as_deref(),
            Ok(r#"{"Tags":{"SS":["x","y"]},"pk":{"S":"a"},"sk":{"S":"b\nc"}}"#)
        );
    }

    #[test]
    fn a_line_has_the_keys_in_front_and_no_line_breaks() {
        let text = to_line(&item(), &["pk", "sk"]);
        assert_eq!(text.as_deref(), Ok(r#"pk=a  sk=b\nc  Tags={"SS":["x","y"]}"#));
    }
}
