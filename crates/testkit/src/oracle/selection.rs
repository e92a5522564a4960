//! `where`: which items a view selects.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::value::string;

/// A test of one attribute. An attribute that is absent, or is not a string, passes none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AttributeTest {
    Prefix(String),
    Equals(String),
}

/// Tests by attribute: an item passes all of them, or is not selected.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(super) struct Tests(BTreeMap<String, AttributeTest>);

impl Tests {
    pub fn selects(&self, item: &Value) -> bool {
        for (attribute, test) in &self.0 {
            let Some(text) = string(item, attribute) else { return false };
            let passes = match test {
                AttributeTest::Prefix(prefix) => text.get(..prefix.len()) == Some(prefix.as_str()),
                AttributeTest::Equals(wanted) => text == wanted,
            };
            if !passes {
                return false;
            }
        }
        true
    }
}
