//! The world that processors work in: tables, what their streams delivered, the parked records, and
//! what the application knows of its own.

mod application;
mod application_state;
mod commit;
mod index;
mod judgement;
mod judging;
mod request_fault;
mod stream;
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use afterimage::engine::{Answer, Read};
use afterimage::{Change, Item, ItemKey, KeyValue, Record};
use afterimage_schema::Table;

pub(crate) use application::Era;
pub(crate) use application_state::Application;
pub(crate) use commit::CommitEnd;
pub(crate) use index::Shown;
pub(crate) use judgement::Judgement;
pub(crate) use request_fault::RequestFault;
pub(crate) use stream::Delivered;

use crate::deployment::Deployment;
use crate::identity;

/// An item, and its identity.
#[derive(Debug)]
struct Stored {
    item: Item,
    identity: u64,
}

/// Everything outside the processors.
#[derive(Debug, Clone, Default)]
pub(crate) struct World {
    items: BTreeMap<ItemKey, Arc<Stored>>,
    /// Every record so far, by item and number, whatever the order in which they came to be.
    pub(crate) stream: Vec<Arc<Delivered>>,
    pub(crate) application: Application,
    /// Identities of the records that are parked.
    pub(crate) parked: BTreeSet<u64>,
    identity: u64,
    /// What is wrong with the world as it stands.
    pub(crate) judgement: Judgement,
}

impl World {
    /// Equal for equal worlds; of use once the world is [`World::seal`]ed.
    pub(crate) fn identity(&self) -> u64 {
        self.identity
    }

    pub(crate) fn item(&self, key: &ItemKey) -> Option<&Item> {
        self.items.get(key).map(|stored| &stored.item)
    }

    pub(crate) fn table(&self, table: Table) -> impl Iterator<Item = (&ItemKey, &Item)> {
        let items = self.items.iter().filter(move |(key, _)| key.table == table);
        items.map(|(key, stored)| (key, &stored.item))
    }

    /// Changes an item, and tells the stream where its table has one and the item became another.
    pub(crate) fn set(
        &mut self,
        deployment: &Deployment,
        key: &ItemKey,
        item: Option<Item>,
    ) -> Result<(), RequestFault> {
        let before = self.item(key);
        let change = match (before, &item) {
            (None, None) => return Ok(()),
            (None, Some(_)) => Change::Insert,
            (Some(_), Some(_)) => Change::Modify,
            (Some(_), None) => Change::Remove,
        };
        let is_told = key.table != Table::DERIVED && before != item.as_ref();
        self.set_silently(key, item.clone());
        if is_told {
            let number = 1 + self.stream.iter().filter(|it| it.record.key == *key).count() as u64;
            let version = deployment.version(number).map_err(RequestFault::Version)?;
            let record = Record { key: key.clone(), version, change, image: Ok(item) };
            let delivered = Arc::new(Delivered::new(deployment, number, record));
            let place = self.stream.partition_point(|it| it.place() < delivered.place());
            self.stream.insert(place, delivered);
        }
        Ok(())
    }

    /// Changes an item, and tells nobody: what was there before the stream began.
    pub(crate) fn set_silently(&mut self, key: &ItemKey, item: Option<Item>) {
        match item {
            None => {
                self.items.remove(key);
            }
            Some(item) => {
                let identity = identity::of_text(&(key, &item));
                self.items.insert(key.clone(), Arc::new(Stored { item, identity }));
            }
        }
    }

    /// The answer to a consistent read; an index shows nothing here.
    pub(crate) fn answer(&self, read: &Read) -> Answer {
        match read {
            Read::Item(key) => Answer::Item(self.item(key).cloned()),
            Read::Last { table, partition, sort_prefix, before } => {
                let is_wanted = |key: &ItemKey| {
                    let sort = key.sort.as_ref().and_then(KeyValue::as_string);
                    key.partition == *partition
                        && sort.is_some_and(|sort| sort.starts_with(sort_prefix.as_str()))
                        && before.as_ref().is_none_or(|before| key < before)
                };
                let last = self.table(table.clone()).filter(|(key, _)| is_wanted(key)).last();
                Answer::Item(last.map(|(_, item)| item.clone()))
            }
            Read::Suggested { .. } => Answer::Suggested(Vec::new()),
        }
    }
}
