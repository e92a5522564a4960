//! The fold of a `count` view.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::value::{canonical_item, string, typed};
use super::views::{CountDefinition, TableKeys};
use super::{GroundState, OracleError};

/// Bytes of a sort key
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
const SORT_KEY_BYTES_MAX: usize = 1024;

/// The name of the table that derived items live in.
const DERIVED: &str = "derived";

/// The view's derived items.
pub(super) fn expected(
    view: &CountDefinition,
    keys: &TableKeys,
    ground: &GroundState,
) -> Result<Vec<Value>, OracleError> {
    let mut counts: BTreeMap<String, u64> = BTreeMap::new();
    for item in ground.folded(&view.name, &view.source, keys, view.remove)?.values() {
        if let Some(sort_key) = sort_key(view, item) {
            *counts.entry(sort_key).or_insert(0) += 1;
        }
    }
    let item = |(sort_key, count): (String, u64)| {
        json!({
            "pk": { "S": view.target.pk },
            "sk": { "S": sort_key },
            view.target.count.as_str(): { "N": count.to_string() },
        })
    };
    Ok(counts.into_iter().map(item).collect())
}

/// The sort key of the count that an item in canonical form adds 1 to; `None` if it adds nothing: it is
/// not selected, is in no group (it has no group attribute, or one of type NULL), or its record is parked since its
/// group cannot be a key.
fn sort_key(view: &CountDefinition, item: &Value) -> Option<String> {
    if !view.selection.selects(item) {
        return None;
    }
    let group = match typed(item.get(&view.group_by)?)? {
        ("S" | "N", text) => text.as_str()?.to_owned(),
        ("BOOL", value) => (if value.as_bool()? { "true" } else { "false" }).to_owned(),
        _ => return None,
    };
    let sort_key = view.target.sk.replace(&format!("{{{}}}", view.group_by), &group);
    (!group.is_empty() && sort_key.len() <= SORT_KEY_BYTES_MAX).then_some(sort_key)
}

/// How the view's derived items differ from those that are expected. A count of 0 equals no item.
pub(super) fn differences(
    view: &CountDefinition,
    expected: &[Value],
    derived: &[Value],
) -> Result<Vec<String>, OracleError> {
    let mut found = BTreeMap::new();
    for item in derived {
        if string(item, "pk") != Some(view.target.pk.as_str()) {
            continue;
        }
        let item = canonical_item(DERIVED, item)?;
        if item.get(&view.target.count) == Some(&json!({ "N": "0" })) {
            continue;
        }
        let sort_key = string(&item, "sk").unwrap_or_default().to_owned();
        found.insert(sort_key, item);
    }
    let mut differences = Vec::new();
    for wanted in expected {
        match found.remove(string(wanted, "sk").unwrap_or_default()) {
            Some(item) if item == *wanted => {}
            Some(item) => differences.push(format!("the fold is {wanted}, derived is {item}")),
            None => differences.push(format!("the fold is {wanted}, derived is nothing")),
        }
    }
    let surplus = found.into_values();
    differences.extend(surplus.map(|item| format!("the fold is nothing, derived is {item}")));
    Ok(differences)
}
