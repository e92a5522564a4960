//! Records as the stream delivers them, with what the model asks of each again and again.

use afterimage::count::contribution_of_item;
use afterimage::{Change, ItemKey, Record};
use afterimage_schema::Table;

use crate::deployment::Deployment;
use crate::identity;

/// A record of the stream.
#[derive(Debug)]
pub(crate) struct Delivered {
    pub(crate) record: Record,
    /// Its place among the records of its item, from 1.
    pub(crate) number: u64,
    pub(crate) identity: u64,
    /// The entry of its item in the ledger, where its table is counted.
    pub(crate) ledger_key: Option<ItemKey>,
    /// Whether it can never be applied.
    pub(crate) is_poisoned: bool,
}

impl Delivered {
    pub(super) fn new(deployment: &Deployment, number: u64, record: Record) -> Self {
        let view = &deployment.count_view;
        let is_counted = record.key.table == view.definition.table;
        let is_poisoned = is_counted
            && match &record.image {
                Ok(Some(image)) => contribution_of_item(view, image).is_err(),
                Ok(None) => false,
                Err(_) => true,
            };
        Self {
            ledger_key: is_counted.then(|| view.ledger_key(&record.key)),
            identity: identity::of_text(&(number, &record)),
            is_poisoned,
            number,
            record,
        }
    }

    pub(super) fn place(&self) -> (&ItemKey, u64) {
        (&self.record.key, self.number)
    }

    /// The record in a few words.
    pub(crate) fn title(&self) -> String {
        let change = match self.record.change {
            Change::Insert => "INSERT",
            Change::Modify => "MODIFY",
            Change::Remove => "REMOVE",
        };
        let number = self.number;
        let key = &self.record.key;
        if key.table == Table::DERIVED {
            format!("{change} {number} of {key} in derived")
        } else {
            format!("{change} {number} of {key}")
        }
    }
}
