//! Ground state and derived state as they stand in the emulator.

use std::collections::BTreeMap;

use afterimage::count::{CountView, Entry};
use afterimage::{AttributeValue, Item};
use afterimage_schema::Table;

use super::table_name;
use crate::WorldError;
use crate::dynamodb::{Dynamodb, text};

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
