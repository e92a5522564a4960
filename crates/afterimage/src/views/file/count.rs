//! The keys of a `count` view, checked against its table.

use std::collections::BTreeMap;

use afterimage_schema::{Table, TableDefinition};

use super::table::source_table;
use crate::count::{CountView, Removal, SortTemplate, Target};
use crate::keys::RESERVED_PREFIXES;
use crate::limits::{PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};
use crate::views::check::{Check, ViewError, checked_name, is_attribute_name};
use crate::views::raw::{RawCount, RawTarget};

pub(super) fn count_view(
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
        name: checked_name(&raw.name, &raw.name)?,
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
