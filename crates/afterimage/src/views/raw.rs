//! A view as it stands in the file, before anything of it is checked.

use serde::Deserialize;

use crate::limits::GROUP_ROWS_DEFAULT;
use crate::selection::Selection;

/// A view of either kind.
pub(super) enum RawView {
    Count(RawCount),
    Latest(RawLatest),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCount {
    pub name: String,
    pub source: String,
    #[serde(default, rename = "where")]
    pub selection: Selection,
    pub group_by: String,
    pub remove: String,
    pub target: RawTarget,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawTarget {
    pub table: String,
    pub pk: String,
    pub sk: String,
    pub count: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawLatest {
    pub name: String,
    pub source: String,
    #[serde(default, rename = "where")]
    pub selection: Selection,
    pub group_by: RawGroup,
    pub order_by: String,
    pub copy: Vec<String>,
    pub rows: RawRows,
    pub remove: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawGroup {
    pub attribute: String,
    #[serde(default)]
    pub strip_prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRows {
    #[serde(rename = "where")]
    pub selection: Selection,
    pub group: String,
    pub index: String,
    #[serde(default)]
    pub may_gain: Vec<String>,
    #[serde(default = "default_rows_max")]
    pub max: usize,
}

fn default_rows_max() -> usize {
    GROUP_ROWS_DEFAULT
}
