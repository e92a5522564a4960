//! Ground state and derived state as they stand in the emulator.

use std::collections::BTreeMap;

use afterimage::count::{CountView, Entry};
use afterimage::{AttributeValue, Item};
use afterimage_schema::Table;
use serde_json::Value;

use super::table_name;
use crate::WorldError;
use crate::dynamodb::{Dynamodb, text};

/// The keys of a table's items that a request writes.
fn written_keys(request: &Value, table_name: &str) -> Vec<(String, String)> {
    let actions = request["TransactItems"].as_array().map(Vec::as_slice).unwrap_or_default();
    let actions = actions.iter().filter_map(|action| action.as_object()?.values().next());
    let key = |action: &Value| {
        let item = if action["Key"].is_null() { &action["Item"] } else { &action["Key"] };
        let text = |name: &str| item[name]["S"].as_str().map(str::to_owned);
        let is_of_table = action["TableName"] == table_name;
        text("pk").zip(text("sk")).filter(|_| is_of_table)
    };
    actions.chain(std::iter::once(request)).filter_map(key).collect()
}

/// The items of a table at one moment.
pub struct Ground {
    items: Vec<Item>,
}

impl Ground {
    /// Reads a whole table at this moment.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn read(dynamodb: &Dynamodb, table: &Table) -> Result<Self, WorldError> {
        Ok(Self { items: dynamodb.items(&table_name(table))? })
    }

    /// Reads again those items of `derived` that a request can have changed.
    ///
    /// # Errors
    /// [`WorldError`].
    pub fn follow(&mut self, dynamodb: &Dynamodb, request: &Value) -> Result<(), WorldError> {
        let derived = table_name(&Table::DERIVED);
        for (pk, sk) in written_keys(request, &derived) {
            let key = (Some(pk.as_str()), Some(sk.as_str()));
            self.items.retain(|item| (text(item, "pk"), text(item, "sk")) != key);
            self.items.extend(dynamodb.item(&derived, &pk, &sk)?);
        }
        Ok(())
    }

    /// Every item.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.items
    }

    /// Items whose partition key begins so.
    pub fn with_prefix<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a Item> {
        self.items.iter().filter(move |item| {
            text(item, "pk").is_some_and(|partition| partition.starts_with(prefix))
        })
    }

    /// The counts of a view by derived sort key, zeros left out.
    #[must_use]
    pub fn counts(&self, view: &CountView) -> BTreeMap<String, i128> {
        let counts = self
            .items
            .iter()
            .filter(|item| text(item, "pk") == Some(view.target.partition.as_str()));
        counts
            .filter_map(|item| {
                let AttributeValue::N(number) = item.get(&view.target.count_attribute)? else {
                    return None;
                };
                Some((text(item, "sk")?.to_owned(), number.as_str().parse().ok()?))
            })
            .filter(|(_, count)| *count != 0)
            .collect()
    }

    /// The ledger of a view, by the hash of the source key.
    ///
    /// # Errors
    /// [`WorldError::Ledger`].
    pub fn ledger(&self, view: &CountView) -> Result<BTreeMap<String, Entry>, WorldError> {
        let prefix = format!("ledger#{}#", view.name);
        let mut ledger = BTreeMap::new();
        for item in self.with_prefix(&prefix) {
            let Some(hash) = text(item, "pk").and_then(|it| it.strip_prefix(&prefix)) else {
                continue;
            };
            ledger.insert(hash.to_owned(), Entry::from_item(item)?);
        }
        Ok(ledger)
    }
}
