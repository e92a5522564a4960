//! Items as the SDK has them, read into structs and written from them by `serde_dynamo`.

use std::collections::HashMap;
use std::fmt;
use std::slice;

use aws_sdk_dynamodb::types::AttributeValue;
use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IntoDeserializer, MapAccess, Visitor,
};
use serde::{Serialize, forward_to_deserialize_any};

use crate::StoreError;

/// The attributes of an item, or of a key.
pub type Item = HashMap<String, AttributeValue>;

/// Writes a struct as the attributes of an item.
///
/// # Errors
/// [`StoreError::Failed`] for a value that is not a struct, or has a field that no attribute can hold.
pub fn to_item(attributes: &impl Serialize) -> Result<Item, StoreError> {
    serde_dynamo::aws_sdk_dynamodb_1::to_item(attributes).map_err(|error| StoreError::Failed {
        operation: "writing the attributes of an item",
        source: Box::new(error),
    })
}

/// Where items come from: what an error names of one, beside the attribute.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'table> {
    /// The table's real name.
    pub table: &'table str,
    /// The attributes of its key.
    pub key: [&'static str; 2],
}

impl Origin<'_> {
    /// Reads the attributes that a struct names. All others are left alone, whatever they hold.
    ///
    /// The struct has texts and numbers, and flattens nothing. An integer is read exactly; one that its
    /// type cannot hold is an error.
    ///
    /// # Errors
    /// [`StoreError::Malformed`] for an attribute that is absent, or not what its field can hold.
    pub fn read<T: DeserializeOwned>(&self, item: &Item) -> Result<T, StoreError> {
        T::deserialize(StructReader(item)).map_err(|wrong| self.malformed(item, wrong.attribute))
    }

    /// The error of an item that has no valid attribute of this name.
    #[must_use]
    pub fn malformed(&self, item: &Item, attribute: impl Into<String>) -> StoreError {
        let part = |name: &&str| match item.get(*name) {
            Some(AttributeValue::S(text)) => format!("{name} {text:?}"),
            Some(AttributeValue::N(number)) => format!("{name} {number}"),
            Some(_) => format!("{name} of another type"),
            None => format!("no {name}"),
        };
        let key = self.key.iter().map(part).collect::<Vec<_>>().join(", ");
        StoreError::Malformed { table: self.table.to_owned(), key, attribute: attribute.into() }
    }
}

/// What cannot be read. It has the attribute alone: the sentences of `serde` and `serde_dynamo` name no
/// attribute, and repeat its value.
#[derive(Debug)]
struct Wrong {
    attribute: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.attribute)
    }
}

impl std::error::Error for Wrong {}

impl Error for Wrong {
    fn custom<T: fmt::Display>(_sentence: T) -> Self {
        Self { attribute: "*".to_owned() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self { attribute: field.to_owned() }
    }
}

/// Gives a struct the attributes that its fields name.
struct StructReader<'item>(&'item Item);

impl<'de> Deserializer<'de> for StructReader<'_> {
    type Error = Wrong;

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        visitor.visit_map(Attributes { item: self.0, fields: fields.iter(), found: None })
    }

    fn deserialize_any<V: Visitor<'de>>(self, _visitor: V) -> Result<V::Value, Wrong> {
        Err(Wrong::custom("an item is read into a struct"))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit
        unit_struct newtype_struct seq tuple tuple_struct map enum identifier ignored_any
    }
}

struct Attributes<'item> {
    item: &'item Item,
    fields: slice::Iter<'static, &'static str>,
    found: Option<(&'static str, &'item AttributeValue)>,
}

impl<'de> MapAccess<'de> for Attributes<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        self.found = self.fields.find_map(|field| Some((*field, self.item.get(*field)?)));
        let Some((field, _)) = self.found else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, Wrong> = field.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        let (field, value) =
            self.found.take().ok_or_else(|| Wrong::custom("a value comes after its name"))?;
        let wrong = || Wrong { attribute: field.to_owned() };
        // The SDK's enum is open, and the conversion panics at a type that it does not know.
        if value.is_unknown() {
            return Err(wrong());
        }
        let value = serde_dynamo::AttributeValue::from(value.clone());
        let reader = serde_dynamo::Deserializer::from_attribute_value(value);
        seed.deserialize(reader).map_err(|_| wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, Serialize, PartialEq)]
    struct Counted {
        sk: String,
        #[serde(rename = "count")]
        number: u64,
        #[serde(skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    }

    fn text(text: &str) -> AttributeValue {
        AttributeValue::S(text.to_owned())
    }

    fn number(text: &str) -> AttributeValue {
        AttributeValue::N(text.to_owned())
    }

    fn item(attributes: &[(&str, AttributeValue)]) -> Item {
        attributes.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    }

    #[track_caller]
    fn check(attributes: &[(&str, AttributeValue)], expected: &str) {
        let origin = Origin { table: "t", key: ["pk", "sk"] };
        let found = origin.read::<Counted>(&item(attributes));
        let found = found.map_or_else(|error| error.to_string(), |it| format!("{it:?}"));
        assert_eq!(found, expected);
    }

    #[test]
    fn a_struct_is_read_or_its_item_named() {
        let key = [("pk", text("p")), ("sk", text("ä\n"))];
        let with = |more: &[(&'static str, AttributeValue)]| [&key, more].concat();
        check(
            &with(&[("count", number("18446744073709551615"))]),
            r#"Counted { sk: "ä\n", number: 18446744073709551615, note: None }"#,
        );
        // What the struct does not name is not looked at.
        check(
            &with(&[("count", number("3")), ("note", text("n")), ("other", number("no number"))]),
            r#"Counted { sk: "ä\n", number: 3, note: Some("n") }"#,
        );
        let malformed = |attribute: &str| {
            format!(
                "the item with pk \"p\", sk \"ä\\n\" of table t has no valid attribute `{attribute}`"
            )
        };
        check(&with(&[]), &malformed("count"));
        for wrong in [
            text("secret"),
            number("-1"),
            number("1.5"),
            number("18446744073709551616"),
            number("1E+2"),
            AttributeValue::Null(true),
        ] {
            check(&with(&[("count", wrong)]), &malformed("count"));
        }
        check(&with(&[("count", number("3")), ("note", number("7"))]), &malformed("note"));
        check(
            &[("sk", number("7")), ("count", number("3"))],
            "the item with no pk, sk 7 of table t has no valid attribute `sk`",
        );
    }

    #[test]
    fn a_struct_is_written_as_it_is_read() {
        let counted = Counted { sk: "s".to_owned(), number: u64::MAX, note: None };
        let written = to_item(&counted).expect("an item");
        let expected = [("sk", text("s")), ("count", number("18446744073709551615"))];
        assert_eq!(written, item(&expected));
        let refused = to_item(&"a text").expect_err("no struct");
        assert_eq!(refused.to_string(), "writing the attributes of an item failed");
    }
}
