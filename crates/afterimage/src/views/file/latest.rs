//! The keys of a `latest` view, checked against its table.

use std::collections::BTreeMap;

use afterimage_schema::{AttributeType, Table, TableDefinition};

use super::table::source_table;
use crate::latest::{LatestView, Rows};
use crate::limits::{
    DECLARED_ATTRIBUTES_MAX, GROUP_ROWS_DEFAULT, GROUP_ROWS_MAX, STRIPPED_BYTES_MAX,
};
use crate::views::check::{Check, ViewError, checked_name, is_attribute_name};
use crate::views::raw::RawLatest;

pub(super) fn latest_view(
    raw: RawLatest,
    tables: &BTreeMap<Table, TableDefinition>,
) -> Result<LatestView, ViewError> {
    let check = Check::of_view(&raw.name);
    let definition = source_table(&check, &raw.source, tables)?;
    let sort_attribute = check_source_keys(&check, &raw, definition)?;
    let partition_attribute = definition.partition_key.clone();
    check.that(
        raw.remove == "skip",
        "remove",
        "a `latest` view cannot take a removal back: the one before the newest is not kept",
        "write `skip`",
    )?;
    check_copy(&check, &raw, definition)?;
    check_rows(&check, &raw, definition)?;
    Ok(LatestView {
        name: checked_name(&raw.name, &raw.name)?,
        selection: raw.selection,
        partition_attribute,
        strip_prefix: raw.group_by.strip_prefix,
        sort_attribute,
        copy: raw.copy,
        rows: Rows {
            selection: raw.rows.selection,
            group_attribute: raw.rows.group,
            index: raw.rows.index,
            may_gain: raw.rows.may_gain,
            max: raw.rows.max,
        },
        definition: definition.clone(),
    })
}

/// Group = partition key, order = sort key, both strings; `where` on keys alone. Returns the sort key.
fn check_source_keys(
    check: &Check,
    raw: &RawLatest,
    definition: &TableDefinition,
) -> Result<String, ViewError> {
    let partition = &definition.partition_key;
    let group = &raw.group_by;
    check.that(
        group.attribute == *partition,
        "group_by.attribute",
        "a `latest` view groups by the source table's partition key, where a consistent read can find the newest",
        &format!("write `{partition}`"),
    )?;
    check.that(
        raw.selection.prefix_of(partition).starts_with(&group.strip_prefix),
        "group_by.strip_prefix",
        "the view selects items whose key does not begin so",
        &format!("make `where.{partition}.prefix` begin with `{}`", group.strip_prefix),
    )?;
    check.that(
        group.strip_prefix.len() <= STRIPPED_BYTES_MAX,
        "group_by.strip_prefix",
        &format!("it is longer than {STRIPPED_BYTES_MAX} bytes, so that no group fits behind it"),
        "write a shorter one",
    )?;
    let sort = definition.sort_key.as_deref().filter(|sort| {
        [partition.as_str(), sort]
            .into_iter()
            .all(|name| definition.attribute_type(name) == Some(AttributeType::String))
    });
    let sort = sort.ok_or_else(|| {
        check.error(
            "source",
            "a `latest` view needs a table with a partition key and a sort key that are strings",
            "name another table",
        )
    })?;
    check.that(
        raw.order_by == sort,
        "order_by",
        "a `latest` view orders by the source table's sort key",
        &format!("write `{sort}`"),
    )?;
    check.that(
        raw.selection.attributes().all(|name| name == partition || name == sort),
        "where",
        "a `latest` view selects by keys alone, so that a changed item stays selected",
        &format!("test only `{partition}` and `{sort}`"),
    )?;
    Ok(sort.to_owned())
}

fn check_copy(
    check: &Check,
    raw: &RawLatest,
    definition: &TableDefinition,
) -> Result<(), ViewError> {
    let is_key = |name: &String| {
        *name == definition.partition_key || Some(name) == definition.sort_key.as_ref()
    };
    check.that(
        raw.copy.len() + raw.rows.may_gain.len() <= DECLARED_ATTRIBUTES_MAX,
        "copy",
        &format!("with `rows.may_gain` it names more than {DECLARED_ATTRIBUTES_MAX} attributes"),
        "name only what rows shall carry, or gather it in one attribute",
    )?;
    let is_no_name = |name: &String| !is_attribute_name(name) || is_key(name);
    check.that(
        !raw.copy.iter().any(|name| is_no_name(name) || *name == raw.rows.group),
        "copy",
        "it names a key, the rows' group attribute, or nothing, or has a name of over 255 bytes",
        "name attributes of the source item that rows shall carry, such as `text`",
    )?;
    check.that(
        !raw.rows.may_gain.iter().any(|name| {
            is_no_name(name) || *name == raw.rows.group || raw.copy.contains(name)
        }),
        "rows.may_gain",
        "it names a key, the rows' group attribute, a copied attribute, or nothing, or has a name of over 255 bytes",
        "name attributes that the application may add to a row while it moves",
    )
}

fn check_rows(
    check: &Check,
    raw: &RawLatest,
    definition: &TableDefinition,
) -> Result<(), ViewError> {
    let rows = &raw.rows;
    let partition = &definition.partition_key;
    check.that(
        rows.selection.attributes().all(|name| name == partition)
            && !rows.selection.prefix_of(partition).is_empty(),
        "rows.where",
        "rows are recognised by their partition key alone",
        &format!("write `{{ {partition} = {{ prefix = \"…\" }} }}`"),
    )?;
    check.that(
        raw.selection.excludes(&rows.selection),
        "rows.where",
        "an item could be a source item and a row at once",
        &format!("give `where.{partition}` and `rows.where.{partition}` prefixes that differ"),
    )?;
    let index = definition.indexes.iter().find(|index| index.name == rows.index);
    check.that(
        index.is_some_and(|index| index.partition_key == rows.group),
        "rows.index",
        &format!("the table has no index of this name with `{}` as its partition key", rows.group),
        "name the index that finds the rows of a group",
    )?;
    check.that(
        (1..=GROUP_ROWS_MAX).contains(&rows.max),
        "rows.max",
        &format!("it is not from 1 to {GROUP_ROWS_MAX}"),
        &format!("leave it out for {GROUP_ROWS_DEFAULT}"),
    )
}
