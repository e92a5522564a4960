//! The views file, as the oracle reads it.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::selection::Tests;

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ViewsFile {
    #[serde(default, rename = "table")]
    pub tables: BTreeMap<String, TableKeys>,
    #[serde(default, rename = "view")]
    pub views: Vec<ViewDefinition>,
}

/// A `[table.NAME]` section. What a table is called on AWS, and its indexes, change no derived item.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TableKeys {
    #[serde(default, rename = "name")]
    _name: Option<IgnoredAny>,
    pub partition_key: KeyAttribute,
    pub sort_key: Option<KeyAttribute>,
    #[serde(default, rename = "index")]
    _index: Option<IgnoredAny>,
}

/// A key attribute: `"customer"`, or `{ name = "customer", type = "N" }`.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum KeyAttribute {
    Name(String),
    Typed {
        name: String,
        #[serde(rename = "type")]
        _type: KeyType,
    },
}

#[derive(Debug, Deserialize)]
pub(super) enum KeyType {
    S,
    N,
    B,
}

impl KeyAttribute {
    pub fn name(&self) -> &str {
        match self {
            KeyAttribute::Name(name) | KeyAttribute::Typed { name, .. } => name,
        }
    }
}

/// A `[[view]]`.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub(super) enum ViewDefinition {
    Count(CountDefinition),
    Latest(LatestDefinition),
}

impl ViewDefinition {
    pub fn name(&self) -> &str {
        match self {
            ViewDefinition::Count(view) => &view.name,
            ViewDefinition::Latest(view) => &view.name,
        }
    }

    pub fn source(&self) -> &str {
        match self {
            ViewDefinition::Count(view) => &view.source,
            ViewDefinition::Latest(view) => &view.source,
        }
    }
}

/// What a removal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RemovalRule {
    Retract,
    Skip,
}

/// A view of the kind `count`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CountDefinition {
    pub name: String,
    pub source: String,
    #[serde(default, rename = "where")]
    pub selection: Tests,
    pub group_by: String,
    pub remove: RemovalRule,
    pub target: CountTarget,
}

/// Where counts are.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CountTarget {
    #[serde(default, rename = "table")]
    _table: Option<IgnoredAny>,
    pub pk: String,
    pub sk: String,
    pub count: String,
}

/// A view of the kind `latest`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LatestDefinition {
    pub name: String,
    pub source: String,
    #[serde(default, rename = "where")]
    pub selection: Tests,
    pub group_by: GroupKey,
    pub order_by: String,
    pub copy: Vec<String>,
    pub rows: RowsDefinition,
    /// Always `skip`: the file has to say so.
    pub remove: RemovalRule,
}

/// The group of a source item: its partition key behind a prefix.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupKey {
    pub attribute: String,
    #[serde(default)]
    pub strip_prefix: String,
}

/// Which items are rows. How they are found and how many there may be changes none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RowsDefinition {
    #[serde(rename = "where")]
    pub selection: Tests,
    pub group: String,
    #[serde(default, rename = "index")]
    _index: Option<IgnoredAny>,
    #[serde(default, rename = "may_gain")]
    _may_gain: Option<IgnoredAny>,
    #[serde(default, rename = "max")]
    _max: Option<IgnoredAny>,
}
