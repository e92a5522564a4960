//! A definition: the canonical form of a view and its table, known by its fingerprint.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::attribute_value::{AttributeValue, Item};
use crate::key::{ItemKey, hexadecimal};
use crate::keys::DerivedKey;
use crate::views::View;

/// How this version turns an item into a contribution. A release that would read a value otherwise raises it.
pub const CONTRIBUTION_VERSION: u64 = 1;

/// The attribute that holds the definition.
const DOCUMENT: &str = "definition";

/// Hexadecimal digits of a SHA-256.
const FINGERPRINT_DIGITS: usize = 64;

/// What a definition is known by: the SHA-256 of its canonical form, in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint(String);

impl Fingerprint {
    fn of(text: &str) -> Self {
        Self(hexadecimal(&Sha256::digest(text.as_bytes())))
    }

    /// The digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = DefinitionError;

    /// Reads 64 lower-case hexadecimal digits.
    ///
    /// # Errors
    /// [`DefinitionError::Fingerprint`] for any other text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_fingerprint = text.len() == FINGERPRINT_DIGITS && text.bytes().all(is_digit);
        if is_fingerprint { Ok(Self(text.to_owned())) } else { Err(DefinitionError::Fingerprint) }
    }
}

/// The canonical form of a view and its table: keys sorted, defaults and settings left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    view_name: String,
    table_name: String,
    document: Value,
    text: String,
    fingerprint: Fingerprint,
}

/// Why a definition cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DefinitionError {
    /// The registry names it, and it is not there.
    #[error("the definition is missing in the registry")]
    Missing,
    /// The item does not hold the text that its fingerprint is of.
    #[error("the definition is not the one that its fingerprint is of")]
    Changed,
    /// A text is not a fingerprint.
    #[error("the fingerprint is not 64 lower-case hexadecimal digits")]
    Fingerprint,
    /// Another version of this program reads the values of items otherwise.
    #[error(
        "the definition is of the contribution version {found}, and this version of Afterimage knows only {CONTRIBUTION_VERSION}: use the version that registered it, or a later one"
    )]
    Version {
        /// The version that it is of.
        found: String,
    },
    /// It is not a view that this version knows.
    #[error("the definition cannot be read by this version of Afterimage: {0}")]
    View(String),
    /// The view is in a state that this version does not know how to maintain.
    #[error("the view is {0}, which this version of Afterimage does not know: use a later version")]
    Unsupported(String),
}

impl Definition {
    /// The definition of a view over the table with this real name.
    #[must_use]
    pub fn of(view: &View, table_name: &str) -> Self {
        let mut document = view.to_document(table_name);
        if let Some(members) = document.as_object_mut() {
            members.insert("contribution_version".to_owned(), json!(CONTRIBUTION_VERSION));
        }
        let text = canonical(&document);
        let fingerprint = Fingerprint::of(&text);
        let (view_name, table_name) = (view.name().to_owned(), table_name.to_owned());
        Self { view_name, table_name, document, text, fingerprint }
    }

    /// What it is known by.
    #[must_use]
    pub fn fingerprint(&self) -> &Fingerprint {
        &self.fingerprint
    }

    /// The view and its table, in the form that [`Views::from_documents`](crate::Views::from_documents) reads.
    #[must_use]
    pub fn document(&self) -> &Value {
        &self.document
    }

    /// The view's name.
    #[must_use]
    pub fn view_name(&self) -> &str {
        &self.view_name
    }

    /// The real name of the table that the view reads.
    #[must_use]
    pub fn table_name(&self) -> &str {
        &self.table_name
    }

    /// What decides what the view writes, by key as the views file writes it: `group_by`, `rows.index`,
    /// `table.name`.
    pub(super) fn values(&self) -> Vec<(String, String)> {
        let mut values = Vec::new();
        flatten("", self.document.get("view"), &mut values);
        let section = self.document.get("table").and_then(Value::as_object);
        let section = section.and_then(|sections| sections.values().next());
        flatten("table", section, &mut values);
        values
    }

    /// The key of a definition's item.
    #[must_use]
    pub fn key(fingerprint: &Fingerprint) -> ItemKey {
        DerivedKey::Definition { fingerprint: fingerprint.as_str() }.key()
    }

    /// The item that holds it.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item =
            Self::key(&self.fingerprint).to_item(&afterimage_schema::TableDefinition::derived());
        item.insert(DOCUMENT.to_owned(), AttributeValue::string(&self.text));
        item
    }

    /// Reads the item of a fingerprint.
    ///
    /// # Errors
    /// [`DefinitionError`] if the item is absent, was changed, or is of a version that this one does not know.
    pub fn from_item(
        fingerprint: &Fingerprint,
        item: Option<&Item>,
    ) -> Result<Self, DefinitionError> {
        let item = item.ok_or(DefinitionError::Missing)?;
        let text = item.get(DOCUMENT).and_then(AttributeValue::as_string);
        let text = text.filter(|text| Fingerprint::of(text) == *fingerprint);
        let text = text.ok_or(DefinitionError::Changed)?.to_owned();
        let document: Value = serde_json::from_str(&text).map_err(|_| DefinitionError::Changed)?;
        let version = document.get("contribution_version");
        if version != Some(&json!(CONTRIBUTION_VERSION)) {
            let found = version.map_or_else(|| "none".to_owned(), Value::to_string);
            return Err(DefinitionError::Version { found });
        }
        let section = document.get("table").and_then(Value::as_object);
        let section = section.and_then(|sections| sections.values().next());
        let table_name = section.and_then(|it| it.get("name")).and_then(Value::as_str);
        let view_name = document.pointer("/view/name").and_then(Value::as_str);
        let (view_name, table_name) = view_name.zip(table_name).ok_or(DefinitionError::Changed)?;
        let (view_name, table_name) = (view_name.to_owned(), table_name.to_owned());
        let fingerprint = fingerprint.clone();
        Ok(Self { view_name, table_name, document, text, fingerprint })
    }
}

/// The JSON with the keys of each object sorted.
fn canonical(value: &Value) -> String {
    sorted(value).to_string()
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(name, _)| *name);
            let members = members.into_iter().map(|(name, it)| (name.clone(), sorted(it)));
            Value::Object(Map::from_iter(members))
        }
        Value::Array(values) => values.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// Lists the values of an object by their paths; a list is one value.
fn flatten(path: &str, value: Option<&Value>, into: &mut Vec<(String, String)>) {
    match value {
        None => {}
        Some(Value::Object(members)) => {
            for (name, value) in members {
                let inner = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                flatten(&inner, Some(value), into);
            }
        }
        Some(value) => into.push((path.to_owned(), value.to_string())),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::views::Views;

    /// A views file of one `count` view, with one text replaced.
    pub(crate) fn views(replaced: &str, by: &str) -> Views {
        let file = r#"
            [table.orders]
            partition_key = "customer"
            sort_key = "number"
            [[view]]
            name = "by-status"
            kind = "count"
            source = "orders"
            where = { status = { prefix = "p" } }
            group_by = "status"
            remove = "retract"
            target = { table = "derived", pk = "orders-by-status", sk = "{status}", count = "count" }
        "#;
        assert!(file.contains(replaced));
        Views::parse(&file.replace(replaced, by)).expect("views")
    }

    pub(crate) fn definition(replaced: &str, by: &str) -> Definition {
        let views = views(replaced, by);
        Definition::of(views.iter().next().expect("a view"), "shop-orders")
    }

    #[test]
    fn a_definition_is_the_same_after_its_item() {
        let before = definition("", "");
        let read = Definition::from_item(before.fingerprint(), Some(&before.to_item()));
        assert_eq!(read, Ok(before.clone()));
        assert_eq!(before.view_name(), "by-status");
        assert_eq!(before.table_name(), "shop-orders");
        assert_eq!(before.fingerprint().to_string().parse(), Ok(before.fingerprint().clone()));
    }

    #[test]
    fn a_fingerprint_stays_the_same_from_release_to_release() {
        assert_eq!(
            definition("", "").fingerprint().as_str(),
            "5a3ea27e84fc13b3498d29e20360b382c97c88224b21fb8aa71f5cb69aab26d9"
        );
    }

    #[test]
    fn every_change_of_what_the_view_writes_gives_another_fingerprint() {
        let before = definition("", "");
        for (replaced, by) in [
            (r#"prefix = "p""#, r#"prefix = "pa""#),
            (r#"where = { status = { prefix = "p" } }"#, ""),
            ("retract", "skip"),
            ("orders-by-status", "orders-by-state"),
            (r#"sk = "{status}""#, r#"sk = "x{status}""#),
            (r#"count = "count""#, r#"count = "orders""#),
            (r#"sort_key = "number""#, r#"sort_key = { name = "number", type = "N" }"#),
            (r#"partition_key = "customer""#, r#"partition_key = "buyer""#),
        ] {
            assert_ne!(definition(replaced, by).fingerprint(), before.fingerprint(), "{by}");
        }
        let views = views("", "");
        let view = views.iter().next().expect("a view");
        assert_ne!(Definition::of(view, "other-orders").fingerprint(), before.fingerprint());
        let same = definition(
            r#"partition_key = "customer""#,
            "partition_key = { name = \"customer\", type = \"S\" }\nindex.by-day = { partition_key = \"day\" }",
        );
        assert_eq!(same, before);
    }

    #[test]
    fn an_item_that_is_not_the_definition_is_refused() {
        let before = definition("", "");
        let check = |text: &str, expected: &str| {
            let mut item = before.to_item();
            item.insert(DOCUMENT.to_owned(), AttributeValue::string(text));
            let error = Definition::from_item(&Fingerprint::of(text), Some(&item));
            assert_eq!(error.expect_err("refused").to_string(), expected);
        };
        check("{", "the definition is not the one that its fingerprint is of");
        check(
            r#"{"contribution_version":1,"view":{"name":"by-status"}}"#,
            "the definition is not the one that its fingerprint is of",
        );
        check(
            r#"{"contribution_version":2}"#,
            "the definition is of the contribution version 2, and this version of Afterimage knows only 1: use the version that registered it, or a later one",
        );
        let absent = Definition::from_item(before.fingerprint(), None);
        assert_eq!(absent, Err(DefinitionError::Missing));
        let other = definition("retract", "skip");
        let mixed = Definition::from_item(before.fingerprint(), Some(&other.to_item()));
        assert_eq!(mixed, Err(DefinitionError::Changed));
    }
}
