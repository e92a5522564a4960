//! Ground state: what the sources hold, and what was delivered of them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::OracleError;
use super::value::canonical_item;
use super::views::{RemovalRule, TableKeys};

/// Ground state, in DynamoDB's JSON. Tables are called as the views file calls them.
#[derive(Debug, Clone, Default)]
pub struct GroundState {
    /// The items that stand, by table: source items and rows alike.
    pub items: BTreeMap<String, Vec<Value>>,
    /// Items as they were delivered last, by table; views that skip removals count the deleted ones
    /// among them. An item that stands prevails over what was delivered of it.
    pub delivered: BTreeMap<String, Vec<Value>>,
    /// The items whose newest record a view has parked for a reason that their attributes do not show
    /// (a damaged record, an item that DynamoDB refuses), by view: they contribute nothing, and a row
    /// among them stays as it was put. Key attributes are enough.
    pub parked: BTreeMap<String, Vec<Value>>,
}

impl GroundState {
    /// The items of a table that stand.
    pub(super) fn standing(
        &self,
        table: &str,
        keys: &TableKeys,
    ) -> Result<BTreeMap<String, Value>, OracleError> {
        by_key(table, keys, self.items.get(table).map_or(&[], Vec::as_slice))
    }

    /// The items that a view with this way of removal folds, by key.
    pub(super) fn folded(
        &self,
        view: &str,
        table: &str,
        keys: &TableKeys,
        removal: RemovalRule,
    ) -> Result<BTreeMap<String, Value>, OracleError> {
        let mut folded = self.standing(table, keys)?;
        if removal == RemovalRule::Skip {
            let delivered = self.delivered.get(table).map_or(&[][..], Vec::as_slice);
            for (key, item) in by_key(table, keys, delivered)? {
                folded.entry(key).or_insert(item);
            }
        }
        let parked = self.parked(view, table, keys)?;
        folded.retain(|key, _| !parked.contains(key));
        Ok(folded)
    }

    /// The keys of the items whose newest record the view has parked.
    pub(super) fn parked(
        &self,
        view: &str,
        table: &str,
        keys: &TableKeys,
    ) -> Result<BTreeSet<String>, OracleError> {
        let parked = self.parked.get(view).map_or(&[][..], Vec::as_slice);
        Ok(by_key(table, keys, parked)?.into_keys().collect())
    }
}

/// Items in canonical form by their key.
fn by_key(
    table: &str,
    keys: &TableKeys,
    items: &[Value],
) -> Result<BTreeMap<String, Value>, OracleError> {
    let mut by_key = BTreeMap::new();
    for item in items {
        let item = canonical_item(table, item)?;
        let key = key_of(table, keys, &item)?;
        if by_key.insert(key.clone(), item).is_some() {
            return Err(OracleError::SameKey { table: table.to_owned(), key });
        }
    }
    Ok(by_key)
}

/// The key of an item in canonical form: the JSON of its key attributes.
fn key_of(table: &str, keys: &TableKeys, item: &Value) -> Result<String, OracleError> {
    let names = std::iter::once(&keys.partition_key).chain(&keys.sort_key);
    let values = names.map(|key| {
        let problem = || format!("it has no key attribute `{}`", key.name());
        item.get(key.name())
            .cloned()
            .ok_or_else(|| OracleError::Item { table: table.to_owned(), problem: problem() })
    });
    Ok(values.collect::<Result<Value, _>>()?.to_string())
}
