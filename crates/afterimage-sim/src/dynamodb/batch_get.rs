//! Batches of reads: some keys are left unprocessed, and reads that do not ask for consistency see
//! what was there a while ago.

use serde_json::{Map, Value, json};

use super::stale_index::StaleIndex;

/// Takes some of the keys out of a request, and returns them as `UnprocessedKeys` have them.
/// `kept_of` says of so many keys how many are kept.
pub(super) fn take_unprocessed(request: &mut Value, kept_of: impl Fn(usize) -> usize) -> Value {
    let mut left = json!({});
    for (table, wanted) in tables_of(request) {
        let Some(keys) = wanted["Keys"].as_array_mut() else { continue };
        let rest = keys.split_off(kept_of(keys.len()).min(keys.len()));
        if !rest.is_empty() {
            left[table] = wanted.clone();
            left[table]["Keys"] = json!(rest);
        }
    }
    drop_empty(request);
    left
}

/// Takes the keys of a table out of a request that are read without asking for consistency, and
/// returns the items that `stale` has for them.
pub(super) fn take_eventual(request: &mut Value, table: &str, stale: &StaleIndex) -> Vec<Value> {
    let mut found = Vec::new();
    for (_, wanted) in tables_of(request).filter(|(name, _)| *name == table) {
        if wanted["ConsistentRead"] == json!(true) {
            continue;
        }
        let keys = wanted["Keys"].as_array_mut().map(std::mem::take).unwrap_or_default();
        found.extend(keys.iter().filter_map(|key| stale.item(key)).cloned());
    }
    drop_empty(request);
    found
}

/// Takes the rows of a table out of a request that an index does not show.
pub(super) fn take_hidden(request: &mut Value, table: &str, index: &StaleIndex) {
    for (_, wanted) in tables_of(request).filter(|(name, _)| *name == table) {
        let is_row = |key: &Value| key["pk"]["S"].as_str().is_some_and(|it| it.starts_with("GRP#"));
        if let Some(keys) = wanted["Keys"].as_array_mut() {
            keys.retain(|key| !is_row(key) || index.item(key).is_some());
        }
    }
    drop_empty(request);
}

/// A table none of whose items are there is answered with an empty list: one that is asked for, and
/// neither answered nor left.
pub(super) fn tell_absent(request: &Value, left: &Value, answer: &mut Value) {
    for table in request["RequestItems"].as_object().into_iter().flat_map(Map::keys) {
        if left.get(table).is_none() && answer["Responses"].get(table).is_none() {
            answer["Responses"][table] = json!([]);
        }
    }
}

/// Whether a request asks for nothing any more.
pub(super) fn is_empty(request: &Value) -> bool {
    request["RequestItems"].as_object().is_none_or(Map::is_empty)
}

fn tables_of(request: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    request["RequestItems"].as_object_mut().into_iter().flatten()
}

fn drop_empty(request: &mut Value) {
    if let Some(tables) = request["RequestItems"].as_object_mut() {
        tables.retain(|_, wanted| wanted["Keys"].as_array().is_some_and(|it| !it.is_empty()));
    }
}
