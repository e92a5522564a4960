//! Reading a JSON body strictly: what is not understood is refused by name.

use std::collections::BTreeMap;
use std::fmt;

use lambda_http::Request;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;
use serde_json::error::Category;

use crate::{ApiError, FieldError};

/// The longest body that is read: far above every valid one, far below the 10 MB that an HTTP API
/// accepts (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html>).
pub const BODY_BYTES_MAX: usize = 256 * 1024;

/// How much of an unknown name is repeated in the answer, in characters.
const NAME_CHARACTERS_SHOWN: usize = 64;

/// The attributes of a JSON object, all of them known and none given twice.
#[derive(Debug, Default)]
pub struct Fields {
    fields: BTreeMap<String, Value>,
}

impl Fields {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// 413 `body_too_long` over [`BODY_BYTES_MAX`], and 400 `invalid_body` for every [`FieldError`].
    pub fn of(request: &Request, known: &[&str]) -> Result<Self, ApiError> {
        let body: &[u8] = request.body();
        if body.len() > BODY_BYTES_MAX {
            let message =
                format!("the body is longer than {BODY_BYTES_MAX} bytes; no valid one is");
            return Err(ApiError::TooLarge { code: "body_too_long", message });
        }
        Ok(Self::parse(body, known)?)
    }

    /// Reads the text of a JSON object.
    ///
    /// # Errors
    /// Every [`FieldError`] but a missing attribute or a wrong type.
    pub fn parse(json: &[u8], known: &[&str]) -> Result<Self, FieldError> {
        let Pairs(pairs) =
            serde_json::from_slice(json).map_err(|error| match error.classify() {
                Category::Data => FieldError::NotAnObject,
                Category::Syntax | Category::Eof | Category::Io => {
                    FieldError::NotJson { line: error.line(), column: error.column() }
                }
            })?;
        let mut fields = BTreeMap::new();
        for (name, value) in pairs {
            let shown = || name.chars().take(NAME_CHARACTERS_SHOWN).collect();
            if !known.contains(&name.as_str()) {
                return Err(FieldError::Unknown { name: shown(), known: known.join(", ") });
            }
            if fields.contains_key(&name) {
                return Err(FieldError::Repeated { name: shown() });
            }
            fields.insert(name, value);
        }
        Ok(Self { fields })
    }

    /// Takes a string.
    ///
    /// # Errors
    /// [`FieldError::WrongType`], for `null` too.
    pub fn take_text(&mut self, name: &'static str) -> Result<Option<String>, FieldError> {
        match self.fields.remove(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(FieldError::WrongType { name, expected: "a string" }),
        }
    }

    /// Takes a string that must be there.
    ///
    /// # Errors
    /// [`FieldError::WrongType`] and [`FieldError::Missing`].
    pub fn require_text(&mut self, name: &'static str) -> Result<String, FieldError> {
        self.take_text(name)?.ok_or(FieldError::Missing { name })
    }

    /// Takes a whole number that is not negative.
    ///
    /// # Errors
    /// [`FieldError::WrongType`], for `null`, fractions and numbers over 64 bits too.
    pub fn take_integer(&mut self, name: &'static str) -> Result<Option<u64>, FieldError> {
        let wrong = FieldError::WrongType { name, expected: "a whole number" };
        match self.fields.remove(name) {
            None => Ok(None),
            Some(value) => value.as_u64().map(Some).ok_or(wrong),
        }
    }

    /// Takes an attribute if it is `null`, and says whether it was.
    pub fn take_null(&mut self, name: &'static str) -> bool {
        let is_null = self.fields.get(name).is_some_and(Value::is_null);
        if is_null {
            self.fields.remove(name);
        }
        is_null
    }
}

/// The attributes of a JSON object as written, repeated ones included.
struct Pairs(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Pairs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(PairsVisitor)
    }
}

struct PairsVisitor;

impl<'de> Visitor<'de> for PairsVisitor {
    type Value = Pairs;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs, A::Error> {
        let mut pairs = Vec::new();
        while let Some(pair) = map.next_entry()? {
            pairs.push(pair);
        }
        Ok(Pairs(pairs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: &str) {
        let found = Fields::parse(json.as_bytes(), &["name", "size"]).and_then(|mut fields| {
            let size_removed = fields.take_null("size");
            let size = fields.take_integer("size")?;
            Ok(format!("{} {size:?} {size_removed}", fields.require_text("name")?))
        });
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        check(r#"{"name": "a", "size": 3}"#, "a Some(3) false");
        check(r#"{"name": "a", "size": null}"#, "a None true");
        check(r#"{"name": "a"}"#, "a None false");
        check("", "this is not JSON: see line 1, column 0");
        check("{\n\"name\": }", "this is not JSON: see line 2, column 9");
        check("{} {}", "this is not JSON: see line 1, column 4");
        check("[]", "this must be a JSON object");
        check("null", "this must be a JSON object");
        check("\u{1}", "this is not JSON: see line 1, column 1");
        check(r#"{"size": 3}"#, "`name` is required");
        check(r#"{"name": null}"#, "`name` must be a string");
        check(r#"{"name": 3}"#, "`name` must be a string");
        check(r#"{"name": "a", "size": "3"}"#, "`size` must be a whole number");
        check(r#"{"name": "a", "size": 3.0}"#, "`size` must be a whole number");
        check(r#"{"name": "a", "size": -3}"#, "`size` must be a whole number");
        check(r#"{"name": "a", "name": "b"}"#, "`name` is given twice");
        check(r#"{"Name": "a"}"#, "there is no attribute `Name`; known are name, size");
    }
}
