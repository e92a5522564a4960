//! Transactions: all of one or nothing, on its conditions.

use std::collections::BTreeSet;

use afterimage::limits::TRANSACTION_ACTIONS_MAX;
use afterimage::write::{Action, Changes, Clause, Transaction, Write};
use afterimage::{AttributeValue, CatalogError, Item};
use afterimage_schema::Table;

use super::World;
use super::request_fault::RequestFault;
use crate::deployment::Deployment;
use crate::sabotage::Sabotage;

/// How a commit ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum CommitEnd {
    Committed,
    /// The conditions of these writes failed.
    Refused(Vec<usize>),
    /// The first half was written; the rest is to follow. Only under sabotage.
    Torn(Transaction),
}

impl World {
    /// Commits a transaction, or says which conditions failed.
    pub(crate) fn commit(
        &mut self,
        deployment: &Deployment,
        transaction: &Transaction,
        sabotage: Sabotage,
    ) -> Result<CommitEnd, RequestFault> {
        check_request(transaction)?;
        let writes = transaction.writes.iter().enumerate();
        let failed: Vec<_> = writes
            .filter(|(_, write)| !is_ignored(write, sabotage) && !self.allows(write))
            .map(|(index, _)| index)
            .collect();
        if !failed.is_empty() {
            return Ok(CommitEnd::Refused(failed));
        }
        let half = match sabotage {
            Sabotage::TransactionsTorn => transaction.writes.len().div_ceil(2),
            _ => transaction.writes.len(),
        };
        let (first, rest) = transaction.writes.split_at(half);
        self.write_all(deployment, first, sabotage)?;
        Ok(match rest.is_empty() {
            true => CommitEnd::Committed,
            false => CommitEnd::Torn(Transaction { writes: rest.to_vec() }),
        })
    }

    /// Writes without conditions.
    pub(crate) fn write_all(
        &mut self,
        deployment: &Deployment,
        writes: &[Write],
        sabotage: Sabotage,
    ) -> Result<(), RequestFault> {
        for write in writes {
            let item = match &write.action {
                Action::Check => continue,
                Action::Delete => None,
                Action::Put(item) => Some(item.clone()),
                Action::Update(changes) => Some(self.updated(deployment, write, changes)?),
            };
            let is_tombstone = |item: &Item| {
                item.get("standing").and_then(AttributeValue::as_string) == Some("removed")
            };
            let item =
                item.filter(|it| sabotage != Sabotage::TombstonesForgotten || !is_tombstone(it));
            self.set(deployment, &write.key, item)?;
        }
        Ok(())
    }

    fn allows(&self, write: &Write) -> bool {
        let item = self.item(&write.key);
        let value = |name: &String| item.and_then(|item| item.get(name));
        write.conditions.iter().all(|clause| match clause {
            Clause::Equals(name, wanted) => value(name) == Some(wanted),
            Clause::Differs(name, unwanted) => value(name) != Some(unwanted),
            Clause::Missing(name) => value(name).is_none(),
        })
    }

    fn updated(
        &self,
        deployment: &Deployment,
        write: &Write,
        changes: &Changes,
    ) -> Result<Item, RequestFault> {
        let definition = deployment.catalog.definition(&write.key.table);
        let definition = definition.map_err(|_: CatalogError| RequestFault::NoTable)?;
        let mut item = match self.item(&write.key) {
            Some(item) => item.clone(),
            None => write.key.to_item(definition),
        };
        item.extend(changes.set.clone());
        item.retain(|name, _| !changes.remove.contains(name));
        for (name, delta) in &changes.add {
            let number = whole(item.get(name)).ok_or_else(|| RequestFault::NoNumber {
                key: write.key.to_string(),
                attribute: name.clone(),
            })?;
            item.insert(name.clone(), AttributeValue::N((number + delta).into()));
        }
        Ok(item)
    }
}

/// The whole number in an attribute; 0 where there is no attribute, as an `ADD` takes it.
pub(crate) fn whole(value: Option<&AttributeValue>) -> Option<i64> {
    match value {
        None => Some(0),
        Some(AttributeValue::N(number)) => number.as_str().parse().ok(),
        Some(_) => None,
    }
}

fn check_request(transaction: &Transaction) -> Result<(), RequestFault> {
    let count = transaction.writes.len();
    if count == 0 || count > TRANSACTION_ACTIONS_MAX {
        return Err(RequestFault::WriteCount { count });
    }
    let mut keys = BTreeSet::new();
    match transaction.writes.iter().find(|write| !keys.insert(&write.key)) {
        None => Ok(()),
        Some(write) => Err(RequestFault::SameItem { key: write.key.to_string() }),
    }
}

/// Whether sabotage takes the conditions of this write away.
fn is_ignored(write: &Write, sabotage: Sabotage) -> bool {
    let is_of = |prefix: &str| {
        write.key.table == Table::DERIVED
            && write.key.partition.as_string().is_some_and(|it| it.starts_with(prefix))
    };
    match sabotage {
        Sabotage::LedgerConditionsIgnored => is_of("ledger#"),
        Sabotage::HeadConditionsIgnored => is_of("head#"),
        Sabotage::RowDeleteConditionsIgnored => write.action == Action::Delete,
        Sabotage::ChecksIgnored => write.action == Action::Check,
        Sabotage::None
        | Sabotage::TransactionsTorn
        | Sabotage::TombstonesForgotten
        | Sabotage::RefusalsHidden
        | Sabotage::AcknowledgedEarly
        | Sabotage::ParkedOnPaper
        | Sabotage::ReadsLag => false,
    }
}
