//! `where`: which items a view selects.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

use crate::attribute_value::{AttributeValue, Item};

/// What an attribute must be for its item to be selected. An attribute that is absent, or is no
/// string, passes no test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Test {
    /// A string that begins so.
    Prefix(String),
    /// Exactly this string.
    Equals(String),
}

impl Test {
    fn passes(&self, text: &str) -> bool {
        match self {
            Test::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Test::Equals(wanted) => text == wanted,
        }
    }

    /// Whether no text passes both.
    fn excludes(&self, other: &Test) -> bool {
        match (self, other) {
            (Test::Prefix(one), Test::Prefix(two)) => {
                !one.starts_with(two.as_str()) && !two.starts_with(one.as_str())
            }
            (Test::Equals(text), test) | (test, Test::Equals(text)) => !test.passes(text),
        }
    }
}

/// The tests that an item must pass, all of them; none selects every item.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Selection(BTreeMap<String, Test>);

impl Selection {
    /// Whether the item passes every test.
    #[must_use]
    pub fn selects(&self, item: &Item) -> bool {
        self.0.iter().all(|(name, test)| {
            item.get(name).and_then(AttributeValue::as_string).is_some_and(|text| test.passes(text))
        })
    }

    /// The tests of these attributes only: what is decided by an item's keys never changes.
    #[must_use]
    pub fn of_attributes(&self, attributes: &[&str]) -> Selection {
        let tests = self.0.iter().filter(|(name, _)| attributes.contains(&name.as_str()));
        Selection(tests.map(|(name, test)| (name.clone(), test.clone())).collect())
    }

    /// Whether no item can pass the tests of both.
    #[must_use]
    pub fn excludes(&self, other: &Selection) -> bool {
        self.0.iter().any(|(name, test)| other.0.get(name).is_some_and(|it| test.excludes(it)))
    }

    /// The attributes that are tested.
    pub fn attributes(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// The text that every selected item's attribute begins with; empty where it is not tested.
    #[must_use]
    pub fn prefix_of(&self, attribute: &str) -> &str {
        match self.0.get(attribute) {
            Some(Test::Prefix(text) | Test::Equals(text)) => text,
            None => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selection(tests: &[(&str, Test)]) -> Selection {
        Selection(tests.iter().map(|(name, test)| ((*name).to_owned(), test.clone())).collect())
    }

    fn prefix(text: &str) -> Test {
        Test::Prefix(text.to_owned())
    }

    fn equals(text: &str) -> Test {
        Test::Equals(text.to_owned())
    }

    #[test]
    fn items_pass_all_tests_or_are_not_selected() {
        let item: Item = [
            ("pk".to_owned(), AttributeValue::string("EVENT#1")),
            ("state".to_owned(), AttributeValue::Bool(true)),
        ]
        .into();
        let check = |tests: &[(&str, Test)]| selection(tests).selects(&item);
        assert!(check(&[]));
        assert!(check(&[("pk", prefix("EVENT#"))]));
        assert!(!check(&[("pk", equals("EVENT#"))]));
        assert!(!check(&[("pk", prefix("EVENT#")), ("sk", prefix(""))]));
        assert!(!check(&[("state", prefix(""))]));
    }

    #[test]
    fn selections_exclude_each_other_by_one_attribute() {
        let check = |one: &[(&str, Test)], other: &[(&str, Test)]| {
            let (one, other) = (selection(one), selection(other));
            assert_eq!(one.excludes(&other), other.excludes(&one));
            one.excludes(&other)
        };
        assert!(check(&[("pk", prefix("EVENT#"))], &[("pk", prefix("WATCH#"))]));
        assert!(!check(&[("pk", prefix("EVENT#"))], &[("pk", prefix("E"))]));
        assert!(!check(&[("pk", prefix("EVENT#"))], &[("pk", equals("EVENT#1"))]));
        assert!(check(&[("pk", prefix("EVENT#"))], &[("pk", equals("EVENT"))]));
        assert!(check(&[("kind", equals("a")), ("pk", prefix("E"))], &[("kind", equals("b"))]));
        assert!(!check(&[], &[("pk", prefix("WATCH#"))]));
    }
}
