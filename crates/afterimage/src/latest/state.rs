//! What is known of a group: the records that came, what was read, and which rows are parked.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::view::LatestView;
use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::engine::Settled;
use crate::group_name::GroupName;
use crate::key::ItemKey;
use crate::limits::{CHUNK_OWNERS_MAX, COPIED_BYTES_MAX};
use crate::owner_name::OwnerName;
use crate::version::Version;
use crate::write::{Action, Transaction};

/// Items that were read consistently; an absent entry was not read yet.
pub(super) type Known = BTreeMap<ItemKey, Option<Item>>;

/// A record of a source item.
#[derive(Debug, Clone)]
pub(super) struct SourceRecord {
    pub index: usize,
    pub group: GroupName,
    pub key: ItemKey,
    pub order: String,
    pub version: Version,
    pub copied: Item,
}

/// A record of a row: it says where to look, and nothing else.
#[derive(Debug, Clone)]
pub(super) struct RowHint {
    pub index: usize,
    pub group: GroupName,
    pub owner: OwnerName,
    pub sort: String,
    pub version: Version,
}

/// What was read of a group since the last refusal.
#[derive(Debug, Default)]
pub(super) struct Knowledge {
    /// The head, its chunks, rows and source items.
    pub items: Known,
    /// The newest source item in the table, where it was asked for.
    pub last: Option<Option<Item>>,
    /// The last source item that was found to be larger than a head can hold.
    pub too_large: Option<ItemKey>,
    /// What the index suggests, where it was asked.
    pub suggested: Option<Suggested>,
}

/// Rows that the index suggests.
#[derive(Debug)]
pub(super) struct Suggested {
    /// Their owners and sort keys.
    pub places: Vec<(OwnerName, String)>,
    /// Whether the index holds more.
    pub is_cut: bool,
}

/// Rows that are parked, and are looked at again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Again {
    /// The registered rows of this owner, which could not be written.
    Owner(OwnerName),
    /// Rows that no head registers, since the group had too many.
    Unregistered,
}

/// All that the plan of a group is made from.
#[derive(Debug)]
pub(super) struct GroupState {
    pub view: Arc<LatestView>,
    pub group: GroupName,
    pub source: Option<SourceRecord>,
    pub hints: Vec<RowHint>,
    /// The parked rows that the task is for, if it is a retry of such, and the place of their record.
    pub again: Option<(usize, Again)>,
    pub knowledge: Knowledge,
    /// Owners whose rows DynamoDB refused to write.
    pub refused_owners: BTreeSet<OwnerName>,
    /// Owners whose rows are parked, durably, since they cannot be written.
    pub parked_owners: BTreeSet<OwnerName>,
    /// Owners whose rows are parked, durably, since the group has too many.
    pub beyond_owners: BTreeSet<OwnerName>,
    /// Owners of whose rows those are parked, durably, that a head cannot register.
    pub crowded_owners: BTreeSet<OwnerName>,
    /// Whether it is parked, durably, that the index holds more than was looked at.
    pub is_cut_parked: bool,
    /// How many owners one transaction takes.
    pub owner_count_max: usize,
}

impl GroupState {
    pub(super) fn new(view: Arc<LatestView>, group: GroupName) -> Self {
        Self {
            view,
            group,
            source: None,
            hints: Vec::new(),
            again: None,
            knowledge: Knowledge::default(),
            refused_owners: BTreeSet::new(),
            parked_owners: BTreeSet::new(),
            owner_count_max: CHUNK_OWNERS_MAX,
            beyond_owners: BTreeSet::new(),
            crowded_owners: BTreeSet::new(),
            is_cut_parked: false,
        }
    }

    /// Takes a source record of the group; of two, the older one is superseded.
    pub(super) fn offer(&mut self, record: SourceRecord) -> Option<Settled> {
        let Some(other) = self.source.as_mut() else {
            self.source = Some(record);
            return None;
        };
        let place = |record: &SourceRecord| (record.order.clone(), record.version.clone());
        let superseded = if place(&record) > place(other) {
            std::mem::replace(other, record).index
        } else {
            record.index
        };
        Some(Settled::Coalesced { index: superseded, by: other.index })
    }

    /// Takes a hint at a row; of two at the same key, the older one is superseded.
    pub(super) fn hint(&mut self, hint: RowHint) -> Option<Settled> {
        let is_same =
            |other: &&mut RowHint| (&other.owner, &other.sort) == (&hint.owner, &hint.sort);
        let Some(other) = self.hints.iter_mut().find(is_same) else {
            self.hints.push(hint);
            return None;
        };
        let superseded = if hint.version > other.version {
            std::mem::replace(other, hint).index
        } else {
            hint.index
        };
        Some(Settled::Coalesced { index: superseded, by: other.index })
    }

    pub(super) fn forget(&mut self) {
        self.knowledge = Knowledge::default();
    }

    /// Takes the newest source item of the table, unless it is larger than a head can hold: its record
    /// is parked, and the one before it counts.
    pub(super) fn found_last(&mut self, item: Option<Item>) {
        let too_large = item
            .as_ref()
            .filter(|item| item_byte_count(&self.view.copied(item)) > COPIED_BYTES_MAX)
            .and_then(|item| ItemKey::of_item(&self.view.definition, item));
        match too_large {
            Some(key) => self.knowledge.too_large = Some(key),
            None => self.knowledge.last = Some(item),
        }
    }

    /// Takes the rows that the index suggests.
    pub(super) fn found_suggested(&mut self, items: &[Item], limit: usize) {
        let places = items.iter().filter_map(|item| suggestion(&self.view, item)).collect();
        self.knowledge.suggested = Some(Suggested { places, is_cut: items.len() >= limit });
    }

    /// Forgets rows that are done, which may be large; that a row is absent is worth remembering.
    pub(super) fn release_rows(&mut self) {
        let hints = &self.hints;
        let view = &self.view;
        let is_hinted =
            |key: &ItemKey| hints.iter().any(|hint| view.row_key(&hint.owner, &hint.sort) == *key);
        self.knowledge.items.retain(|key, item| {
            item.is_none() || key.table != view.definition.table || is_hinted(key)
        });
    }

    /// Takes what is known after a transaction was committed.
    pub(super) fn learn(&mut self, transaction: &Transaction) {
        let items = &mut self.knowledge.items;
        for write in &transaction.writes {
            match &write.action {
                Action::Put(item) => {
                    items.insert(write.key.clone(), Some(item.clone()));
                }
                Action::Delete => {
                    items.insert(write.key.clone(), None);
                }
                Action::Update(changes) => {
                    if let Some(Some(item)) = items.get_mut(&write.key) {
                        item.extend(
                            changes.set.iter().map(|(name, it)| (name.clone(), it.clone())),
                        );
                        item.retain(|name, _| !changes.remove.contains(name));
                    }
                }
                Action::Check => {}
            }
        }
    }
}

/// The owner and sort key of an item that the index suggests, where its keys are a row's.
fn suggestion(view: &LatestView, item: &Item) -> Option<(OwnerName, String)> {
    let text = |name: &String| item.get(name).and_then(AttributeValue::as_string);
    let owner = text(&view.partition_attribute).filter(|_| view.rows.selection.selects(item))?;
    Some((owner.parse().ok()?, text(&view.sort_attribute)?.to_owned()))
}
