//! The fold of a `latest` view.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::value::string;
use super::views::{LatestDefinition, TableKeys};
use super::{ExpectedGroup, ExpectedRows, GroundState, OracleError};

/// Bytes of a group: it can stand behind a row's sort key.
const GROUP_BYTES_MAX: usize = 1024;

/// The view's groups that have source items.
pub(super) fn expected(
    view: &LatestDefinition,
    keys: &TableKeys,
    ground: &GroundState,
) -> Result<BTreeMap<String, ExpectedGroup>, OracleError> {
    let items = ground.folded(&view.name, &view.source, keys, view.remove)?;
    let mut newest: BTreeMap<String, (String, Value)> = BTreeMap::new();
    for item in items.into_values() {
        let Some((group, order)) = place(view, &item) else { continue };
        let is_newest = newest.get(&group).is_none_or(|(other, _)| *other < order);
        if is_newest {
            newest.insert(group, (order, item));
        }
    }
    let expected = |(group, (order, newest)): (String, (String, Value))| {
        let sort_keys = [order.clone(), format!("{order}#{group}")];
        let rows = ExpectedRows { sort_keys, copied: copied(view, &newest) };
        (group, ExpectedGroup { newest, rows })
    };
    Ok(newest.into_iter().map(expected).collect())
}

/// The group of a source item, and its order; `None` if it is not selected, or its record is parked
/// since its group cannot be one.
fn place(view: &LatestDefinition, item: &Value) -> Option<(String, String)> {
    let partition = string(item, &view.group_by.attribute)?;
    let order = string(item, &view.order_by)?;
    let group = partition.strip_prefix(view.group_by.strip_prefix.as_str())?;
    let is_group = view.selection.selects(item) && is_group(group);
    is_group.then(|| (group.to_owned(), order.to_owned()))
}

fn is_group(text: &str) -> bool {
    !text.is_empty() && text.len() <= GROUP_BYTES_MAX
}

fn copied(view: &LatestDefinition, item: &Value) -> Value {
    let present = view.copy.iter().filter_map(|name| Some((name.clone(), item.get(name)?.clone())));
    present.collect()
}

/// What is wrong with the rows that stand. Rows of a group without source items stay as they were put.
pub(super) fn differences(
    view: &LatestDefinition,
    keys: &TableKeys,
    expected: &BTreeMap<String, ExpectedGroup>,
    ground: &GroundState,
) -> Result<Vec<String>, OracleError> {
    let parked = ground.parked(&view.name, &view.source, keys)?;
    let mut seen = BTreeSet::new();
    let mut differences = Vec::new();
    for (key, row) in ground.standing(&view.source, keys)? {
        if !view.rows.selection.selects(&row) || parked.contains(&key) {
            continue;
        }
        let Some(group) = string(&row, &view.rows.group) else { continue };
        let Some(wanted) = expected.get(group) else { continue };
        let owner = string(&row, keys.partition_key.name()).unwrap_or_default();
        let sort = string(&row, &view.order_by).unwrap_or_default();
        let difference = if !seen.insert((owner.to_owned(), group.to_owned())) {
            "it is not the only one".to_owned()
        } else if !wanted.rows.sort_keys.iter().any(|it| it == sort) {
            format!("the fold is at {:?}, the row at {sort:?}", wanted.rows.sort_keys)
        } else if copied(view, &row) != wanted.rows.copied {
            let (wanted, found) = (&wanted.rows.copied, copied(view, &row));
            format!("the fold copies {wanted}, the row has {found}")
        } else {
            continue;
        };
        differences.push(format!("the row of {owner} in {group}: {difference}"));
    }
    Ok(differences)
}
