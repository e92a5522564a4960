//! A store in memory: serializable transactions, a stream of records, and an index that lags.

use std::collections::BTreeMap;

use afterimage::engine::{Answer, Read, Refusal};
use afterimage::write::{Action, Clause, Transaction};
use afterimage::{AttributeValue, Catalog, Change, Item, ItemKey, KeyValue, Record};
use afterimage_schema::Table;

const STREAM_LABEL: &str = "2026-01-01T00:00:00";

/// Every table, what its streams delivered so far, and what the index shows.
pub struct Store {
    catalog: Catalog,
    pub items: BTreeMap<ItemKey, Item>,
    index: BTreeMap<ItemKey, Item>,
    pub records: Vec<Record>,
    /// Own writes of source tables that no transaction of the engine made.
    pub parked_count: usize,
    /// Whether nobody but the engine wrote to the ledger, so that no count can fall below 0.
    pub is_ledger_sound: bool,
}

impl Store {
    pub fn new(catalog: Catalog) -> Self {
        Self {
            catalog,
            items: BTreeMap::new(),
            index: BTreeMap::new(),
            records: Vec::new(),
            parked_count: 0,
            is_ledger_sound: true,
        }
    }

    /// The index shows what the tables hold now.
    pub fn refresh_index(&mut self) {
        self.index = self.items.clone();
    }

    pub fn table(&self, table: Table) -> impl Iterator<Item = (&ItemKey, &Item)> {
        self.items.iter().filter(move |(key, _)| key.table == table)
    }

    pub fn put(&mut self, item: Item, table: &Table) {
        let definition = self.catalog.definition(table).expect("a definition");
        let key = ItemKey::of_item(definition, &item).expect("keys");
        self.set(&key, Some(item));
    }

    /// Changes an item, and tells the stream where there is one.
    pub fn set(&mut self, key: &ItemKey, item: Option<Item>) {
        let before = self.items.get(key).cloned();
        let change = match (&before, &item) {
            (None, Some(_)) => Change::Insert,
            (Some(_), Some(_)) => Change::Modify,
            (Some(_), None) => Change::Remove,
            (None, None) => return,
        };
        match &item {
            Some(item) => self.items.insert(key.clone(), item.clone()),
            None => self.items.remove(key),
        };
        if key.table != Table::DERIVED && before != item {
            let sequence_number = (self.records.len() + 1).to_string();
            let version = afterimage::version::Version {
                stream_label: STREAM_LABEL.parse().expect("a label"),
                sequence_number: sequence_number.parse().expect("a number"),
            };
            self.records.push(Record { key: key.clone(), version, change, image: Ok(item) });
        }
    }

    pub fn answer(&self, read: &Read) -> Answer {
        match read {
            Read::Item(key) => Answer::Item(self.items.get(key).cloned()),
            Read::Last { table, partition, sort_prefix, before } => {
                let is_wanted = |key: &&ItemKey| {
                    let sort = key.sort.as_ref().and_then(KeyValue::as_string).unwrap_or_default();
                    key.partition == *partition
                        && sort.starts_with(sort_prefix.as_str())
                        && before.as_ref().is_none_or(|before| *key < before)
                };
                let last = self.table(table.clone()).filter(|(key, _)| is_wanted(key)).last();
                Answer::Item(last.map(|(_, item)| item.clone()))
            }
            Read::Suggested { table, index, partition, limit } => {
                let definition = self.catalog.definition(table).expect("a definition");
                let index = definition.indexes.iter().find(|it| it.name == *index).expect("it");
                let wanted = partition.to_attribute_value();
                let items = self.index.iter().filter(|(key, item)| {
                    key.table == *table && item.get(&index.partition_key) == Some(&wanted)
                });
                Answer::Suggested(items.map(|(_, item)| item.clone()).take(*limit).collect())
            }
        }
    }

    /// Commits all of a transaction or nothing.
    pub fn commit(&mut self, transaction: &Transaction) -> Result<(), Refusal> {
        let keys: std::collections::BTreeSet<_> =
            transaction.writes.iter().map(|write| &write.key).collect();
        assert_eq!(
            keys.len(),
            transaction.writes.len(),
            "two writes of one item: {transaction:#?}"
        );
        assert!(transaction.writes.len() <= afterimage::limits::TRANSACTION_ACTIONS_MAX);
        let failed: Vec<_> = transaction
            .writes
            .iter()
            .enumerate()
            .filter(|(_, write)| {
                let item = self.items.get(&write.key);
                !write.conditions.iter().all(|clause| holds(clause, item))
            })
            .map(|(index, _)| index)
            .collect();
        if !failed.is_empty() {
            return Err(Refusal::Changed(failed));
        }
        for write in &transaction.writes {
            let item = match &write.action {
                Action::Check => continue,
                Action::Delete => None,
                Action::Put(item) => Some(item.clone()),
                Action::Update(changes) => {
                    let definition = self.catalog.definition(&write.key.table).expect("it");
                    let absent = || write.key.to_item(definition);
                    let mut item = self.items.get(&write.key).cloned().unwrap_or_else(absent);
                    item.extend(changes.set.clone());
                    item.retain(|name, _| !changes.remove.contains(name));
                    for (name, delta) in &changes.add {
                        let sum = number(item.get(name)) + delta;
                        let is_possible = sum >= 0 || !self.is_ledger_sound;
                        assert!(is_possible, "a count is negative: {transaction:#?}");
                        item.insert(name.clone(), AttributeValue::N(sum.into()));
                    }
                    Some(item)
                }
            };
            self.set(&write.key, item);
        }
        Ok(())
    }
}

fn holds(clause: &Clause, item: Option<&Item>) -> bool {
    let value = |name: &String| item.and_then(|item| item.get(name));
    match clause {
        Clause::Equals(name, wanted) => value(name) == Some(wanted),
        Clause::Differs(name, unwanted) => value(name) != Some(unwanted),
        Clause::Missing(name) => value(name).is_none(),
    }
}

/// The number in an attribute; 0 where there is none, as `ADD` takes it.
pub fn number(value: Option<&AttributeValue>) -> i64 {
    match value {
        None => 0,
        Some(AttributeValue::N(number)) => number.as_str().parse().expect("a whole number"),
        Some(other) => panic!("{other:?} is no number"),
    }
}
