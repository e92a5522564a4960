//! The views file: read strictly, checked for what cannot work and for overlaps.

mod latest;
mod table;
#[cfg(test)]
mod tests;
mod typed;

use std::collections::BTreeMap;
use std::sync::Arc;

use afterimage_schema::{Table, TableDefinition};
use serde::Deserialize;

use super::View;
use crate::count::{CountView, Removal, SortTemplate, Target};
use crate::keys::RESERVED_PREFIXES;
use crate::limits::{
    ATTRIBUTE_NAME_BYTES_MAX, GROUP_ROWS_DEFAULT, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX,
    VIEW_NAME_BYTES_MAX,
};
use crate::selection::Selection;
use latest::latest_view;
use table::tables;
use typed::raw_view;

/// Why a views file was refused.
#[derive(Debug, thiserror::Error)]
pub enum ViewsError {
    /// The file is not TOML, or holds other things than tables and views.
    #[error(
        "the views file cannot be read: it takes `[table.NAME]` sections and `[[view]]` tables only"
    )]
    Syntax(#[source] toml::de::Error),
    /// There is no view: there would be nothing to maintain.
    #[error("the views file has no view, so that nothing would be maintained: add a `[[view]]`")]
    Empty,
    /// A key of a table or a view is missing, unknown, or has a value that cannot work.
    #[error(transparent)]
    Key(#[from] ViewError),
}

/// A key of a table or a view is missing, unknown, or has a value that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}, key `{key}`: {problem}; {fix}")]
pub struct ViewError {
    /// The table or view, such as ``view `order-counts` ``.
    pub subject: String,
    /// The key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    table: BTreeMap<String, toml::Value>,
    #[serde(default)]
    view: Vec<toml::Table>,
}

enum RawView {
    Count(RawCount),
    Latest(RawLatest),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    name: String,
    source: String,
    #[serde(default, rename = "where")]
    selection: Selection,
    group_by: String,
    remove: String,
    target: RawTarget,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    table: String,
    pk: String,
    sk: String,
    count: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLatest {
    name: String,
    source: String,
    #[serde(default, rename = "where")]
    selection: Selection,
    group_by: RawGroup,
    order_by: String,
    copy: Vec<String>,
    rows: RawRows,
    remove: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    attribute: String,
    #[serde(default)]
    strip_prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRows {
    #[serde(rename = "where")]
    selection: Selection,
    group: String,
    index: String,
    #[serde(default)]
    may_gain: Vec<String>,
    #[serde(default = "default_rows_max")]
    max: usize,
}

fn default_rows_max() -> usize {
    GROUP_ROWS_DEFAULT
}

/// Makes errors that name one table or view.
struct Check {
    subject: String,
}

impl Check {
    fn of_view(name: &str) -> Self {
        Self { subject: format!("view `{name}`") }
    }

    fn of_table(name: &str) -> Self {
        Self { subject: format!("table `{name}`") }
    }

    fn that(&self, holds: bool, key: &str, problem: &str, fix: &str) -> Result<(), ViewError> {
        if holds { Ok(()) } else { Err(self.error(key, problem, fix)) }
    }

    fn error(&self, key: &str, problem: &str, fix: &str) -> ViewError {
        ViewError {
            subject: self.subject.clone(),
            key: key.to_owned(),
            problem: problem.to_owned(),
            fix: fix.to_owned(),
        }
    }
}

/// Reads a views file, and checks it by itself.
pub(super) fn parse(text: &str) -> Result<(Vec<View>, Vec<TableDefinition>), ViewsError> {
    let file: RawFile = toml::from_str(text).map_err(ViewsError::Syntax)?;
    if file.view.is_empty() {
        return Err(ViewsError::Empty);
    }
    Ok(read(file.table, file.view)?)
}

/// Reads sections and views, and checks them against each other.
pub(super) fn read(
    sections: BTreeMap<String, toml::Value>,
    tables_of_views: Vec<toml::Table>,
) -> Result<(Vec<View>, Vec<TableDefinition>), ViewError> {
    let tables = tables(sections)?;
    let mut views: Vec<View> = Vec::new();
    for (index, table) in tables_of_views.into_iter().enumerate() {
        let place = format!("number {}", index + 1);
        let label = match table.get("name") {
            Some(toml::Value::String(name)) => checked_name(name, &place)?,
            _ => place,
        };
        let view = match raw_view(&Check::of_view(&label), table)? {
            RawView::Count(raw) => View::Count(Arc::new(count_view(raw, &tables)?)),
            RawView::Latest(raw) => View::Latest(Arc::new(latest_view(raw, &tables)?)),
        };
        for earlier in &views {
            check_overlap(&view, earlier)?;
        }
        views.push(view);
    }
    for view in &views {
        check_rows_unread(view, &views)?;
    }
    Ok((views, tables.into_values().collect()))
}

/// The name, if it is one. The error calls a view by its place if its name is empty.
fn checked_name(name: &str, place: &str) -> Result<String, ViewError> {
    let is_name = name.len() <= VIEW_NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    let check = Check::of_view(if name.is_empty() { place } else { name });
    check.that(
        is_name,
        "name",
        "it is not a name of up to 64 lower-case letters, digits and `-` that begins with a letter",
        "write a name such as `order-counts`; it is part of keys in `derived`",
    )?;
    Ok(name.to_owned())
}

/// Whether a name is one that an expression can hold.
fn is_attribute_name(name: &str) -> bool {
    (1..=ATTRIBUTE_NAME_BYTES_MAX).contains(&name.len())
}

/// The table that a view reads.
fn source_table<'a>(
    check: &Check,
    name: &str,
    tables: &'a BTreeMap<Table, TableDefinition>,
) -> Result<&'a TableDefinition, ViewError> {
    let table: Option<Table> = name.parse().ok();
    if table == Some(Table::DERIVED) {
        return Err(check.error(
            "source",
            "no view may read the `derived` table",
            "name the table that the application writes",
        ));
    }
    table.and_then(|table| tables.get(&table)).ok_or_else(|| {
        let declared: Vec<_> = tables.keys().map(|table| format!("`{table}`")).collect();
        let fix = match declared.is_empty() {
            true => format!("declare it in a section `[table.{name}]` with its `partition_key`"),
            false => format!(
                "declare it in a section `[table.{name}]`, or name a declared one: {}",
                declared.join(", ")
            ),
        };
        check.error("source", &format!("there is no table `{name}` in this file"), &fix)
    })
}

fn count_view(
    raw: RawCount,
    tables: &BTreeMap<Table, TableDefinition>,
) -> Result<CountView, ViewError> {
    let check = Check::of_view(&raw.name);
    let definition = source_table(&check, &raw.source, tables)?.clone();
    check.that(
        is_attribute_name(&raw.group_by),
        "group_by",
        "it is empty, or longer than 255 bytes",
        "name an attribute",
    )?;
    check.that(
        raw.selection.attributes().all(|name| !name.is_empty()),
        "where",
        "it tests an attribute whose name is empty, which no item has",
        "name attributes of the source table's items",
    )?;
    let removal = match raw.remove.as_str() {
        "retract" => Removal::Retract,
        "skip" => Removal::Skip,
        other => {
            let problem = format!("`{other}` is not a way to treat a removal");
            return Err(check.error("remove", &problem, "write `retract` or `skip`"));
        }
    };
    let target = target(&check, &raw.group_by, raw.target)?;
    Ok(CountView {
        name: raw.name,
        selection: raw.selection,
        group_by: raw.group_by,
        removal,
        target,
        definition,
    })
}

fn target(check: &Check, group_by: &str, raw: RawTarget) -> Result<Target, ViewError> {
    check.that(
        raw.table == Table::DERIVED.logical_name(),
        "target.table",
        "derived items live in the `derived` table, so that source tables and their streams stay clean",
        "write `derived`",
    )?;
    check.that(
        !raw.pk.is_empty() && !RESERVED_PREFIXES.iter().any(|it| raw.pk.starts_with(it)),
        "target.pk",
        &format!(
            "it is empty, or begins with one of `{}`, which are the engine's",
            RESERVED_PREFIXES.join("`, `")
        ),
        "write a partition key of the view's own, such as `orders-by-status`",
    )?;
    check.that(
        raw.pk.len() <= PARTITION_KEY_BYTES_MAX,
        "target.pk",
        &format!("it is longer than {PARTITION_KEY_BYTES_MAX} bytes, the most of a partition key"),
        "write a shorter one",
    )?;
    let placeholder = format!("{{{group_by}}}");
    let (before, after) = match raw.sk.split_once(&placeholder) {
        Some((before, after)) if !before.contains('{') && !after.contains('{') => (before, after),
        _ => {
            let problem = format!("it does not hold `{placeholder}`, once and alone");
            let fix = format!("write `{placeholder}`, with text before or after it if you like");
            return Err(check.error("target.sk", &problem, &fix));
        }
    };
    check.that(
        before.len() + after.len() < SORT_KEY_BYTES_MAX,
        "target.sk",
        &format!(
            "beside the group it has {SORT_KEY_BYTES_MAX} bytes or more, all that a sort key has"
        ),
        "write a shorter text before and after the group",
    )?;
    check.that(
        is_attribute_name(&raw.count) && raw.count != "pk" && raw.count != "sk",
        "target.count",
        "it is empty, longer than 255 bytes, or a key attribute of `derived`",
        "name the attribute that holds the count, such as `count`",
    )?;
    Ok(Target {
        partition: raw.pk,
        sort: SortTemplate { before: before.to_owned(), after: after.to_owned() },
        count_attribute: raw.count,
    })
}

fn check_overlap(view: &View, earlier: &View) -> Result<(), ViewError> {
    let check = Check::of_view(view.name());
    check.that(
        view.name() != earlier.name(),
        "name",
        "another view has this name",
        "give each view a name of its own",
    )?;
    let overlaps = match (view, earlier) {
        (View::Count(one), View::Count(two)) => one.target.partition == two.target.partition,
        (View::Latest(one), View::Latest(two)) => {
            one.definition.table == two.definition.table
                && !one.rows.selection.excludes(&two.rows.selection)
        }
        (View::Count(_), View::Latest(_)) | (View::Latest(_), View::Count(_)) => false,
    };
    let key = if matches!(view, View::Count(_)) { "target.pk" } else { "rows.where" };
    check.that(
        !overlaps,
        key,
        &format!("view `{}` writes the same items", earlier.name()),
        "give each view items of its own",
    )
}

/// No view reads the rows that a view writes.
fn check_rows_unread(view: &View, all: &[View]) -> Result<(), ViewError> {
    let selection = match view {
        View::Count(view) => &view.selection,
        View::Latest(view) => &view.selection,
    };
    for writer in all {
        let View::Latest(latest) = writer else {
            continue;
        };
        Check::of_view(view.name()).that(
            latest.definition.table != *view.source() || selection.excludes(&latest.rows.selection),
            "where",
            &format!("it selects rows that view `{}` writes", latest.name),
            &format!("select by a prefix of `{}` that no row has", latest.partition_attribute),
        )?;
    }
    Ok(())
}
