//! The views file: read strictly, checked for what cannot work and for overlaps.

mod count;
mod latest;
mod table;
#[cfg(test)]
mod tests;
mod typed;

use std::collections::BTreeMap;
use std::sync::Arc;

use afterimage_schema::TableDefinition;
use serde::Deserialize;

use super::check::{Check, ViewError, checked_name};
use super::raw::RawView;
use super::view::View;
use count::count_view;
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    table: BTreeMap<String, toml::Value>,
    #[serde(default)]
    view: Vec<toml::Table>,
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
            Some(toml::Value::String(name)) => checked_name(name, &place)?.to_string(),
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
