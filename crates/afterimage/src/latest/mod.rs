//! `latest` views: rows that follow the newest source item of their group.
//!
//! Each group has a head: which source item is the newest, and where every row of the group stands.
//! One transaction changes the head, on condition that it still is as read, and moves the rows: each
//! is deleted at its old key and put at its new one, with everything else that it holds.

mod head;
mod owner;
mod plan;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;

use afterimage_schema::TableDefinition;

pub use head::{Chunk, Head, HeadError, Newest, OwnerPlace, chunk_key, head_key};

use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::engine::{Opening, Parking, ParkingTask, Routed, Settled, Task};
use crate::key::ItemKey;
use crate::limits::{COPIED_BYTES_MAX, GROUP_BYTES_MAX};
use crate::outcome::Outcome;
use crate::reason::reason;
use crate::record::{Change, Record};
use crate::selection::Selection;
use task::{Again, GroupTask, RowHint, SourceRecord};

/// A view whose rows follow the newest source item of their group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LatestView {
    /// The view's name.
    pub name: String,
    /// Which items are source items, by their keys.
    pub selection: Selection,
    /// The table's partition key: it tells the group of a source item.
    pub partition_attribute: String,
    /// What stands before the group in the partition key.
    pub strip_prefix: String,
    /// The table's sort key: the order of source items, and what rows follow.
    pub sort_attribute: String,
    /// Attributes of the newest source item that its rows carry.
    pub copy: Vec<String>,
    /// The rows.
    pub rows: Rows,
    /// The definition of the table that it reads, and that the rows live in.
    pub definition: TableDefinition,
}

/// The rows of a `latest` view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Which items are rows, by their partition key.
    pub selection: Selection,
    /// The attribute that tells a row's group.
    pub group_attribute: String,
    /// The index that suggests the rows of a group.
    pub index: String,
    /// Attributes that the application may add to a row while it moves.
    pub may_gain: Vec<String>,
    /// Rows that a group may have.
    pub max: usize,
}

/// What a record is to a view.
enum Role {
    Source(SourceRecord),
    Row(RowHint),
    NotSelected,
    Unusable { reason: String },
}

impl LatestView {
    /// The key of a row.
    #[must_use]
    pub fn row_key(&self, owner: &str, sort: &str) -> ItemKey {
        ItemKey::strings(self.definition.table.clone(), owner, sort)
    }

    /// The attributes of a source item that rows carry.
    #[must_use]
    pub fn copied(&self, source_item: &Item) -> Item {
        let copied = self.copy.iter().filter_map(|name| source_item.get_key_value(name));
        copied.map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// The sort keys that a row may have when a source item with this order key is the newest: the
    /// order key itself, or the same with the group behind it, where another group's row stands.
    #[must_use]
    pub fn target_sorts(group: &str, order: &str) -> [String; 2] {
        [order.to_owned(), format!("{order}#{group}")]
    }

    /// Whether an item is a row of this group.
    #[must_use]
    pub fn is_row_of(&self, group: &str, item: &Item) -> bool {
        self.rows.selection.selects(item)
            && item.get(&self.rows.group_attribute).and_then(AttributeValue::as_string)
                == Some(group)
    }

    /// The group of an item that is selected as a source item, by its keys.
    #[must_use]
    pub fn group_of_source_item<'a>(&self, item: &'a Item) -> Option<&'a str> {
        let partition = item.get(&self.partition_attribute).and_then(AttributeValue::as_string);
        partition
            .filter(|_| self.selection.selects(item))
            .and_then(|partition| partition.strip_prefix(self.strip_prefix.as_str()))
    }

    /// The newest source item of each group, by its order key, and its copied attributes: what rows
    /// must follow once drained. `items` are the source items, deleted ones as last delivered.
    #[must_use]
    pub fn fold<'a>(
        &self,
        items: impl IntoIterator<Item = &'a Item>,
    ) -> BTreeMap<String, (String, Item)> {
        let mut newest: BTreeMap<String, (String, Item)> = BTreeMap::new();
        for item in items {
            let order = item.get(&self.sort_attribute).and_then(AttributeValue::as_string);
            let Some((group, order)) = self.group_of_source_item(item).zip(order) else {
                continue;
            };
            let is_newer = newest.get(group).is_none_or(|(other, _)| order > other.as_str());
            if is_newer {
                newest.insert(group.to_owned(), (order.to_owned(), self.copied(item)));
            }
        }
        newest
    }

    /// Keeps the newest source record and the hinted rows of each group, and makes a task of each.
    #[must_use]
    pub fn open(self: &Arc<Self>, records: &[Routed<'_>]) -> Opening {
        self.open_as(records, None)
    }

    fn open_as(self: &Arc<Self>, records: &[Routed<'_>], again: Option<&Again>) -> Opening {
        let mut settled = Vec::new();
        let mut parkings = Vec::new();
        let mut groups: BTreeMap<String, GroupTask> = BTreeMap::new();
        for Routed { index, record } in records.iter().copied() {
            if record.change == Change::Remove {
                settled.push(Settled::Outcome { index, outcome: Outcome::Skipped });
                continue;
            }
            let coalesced = match self.role(index, record) {
                Role::Source(source) => task_of(self, &mut groups, &source.group).offer(source),
                Role::Row(hint) => task_of(self, &mut groups, &hint.group).hint(hint),
                Role::NotSelected => Some(Settled::Outcome { index, outcome: Outcome::Skipped }),
                Role::Unusable { reason } => {
                    parkings.push(Parking { index, reason, part: None });
                    None
                }
            };
            settled.extend(coalesced);
        }
        let mut tasks: Vec<Box<dyn Task>> = Vec::new();
        tasks.extend(groups.into_values().map(|mut task| {
            task.again = again.cloned();
            Box::new(task) as Box<dyn Task>
        }));
        if !parkings.is_empty() {
            tasks.push(Box::new(ParkingTask::new(parkings)));
        }
        Opening { settled, tasks }
    }

    /// Opens a parked record again. Where all of it is parked, it is as if it came for the first time:
    /// the head tells whether it still matters. Where rows are parked as a part of it, the head is
    /// content, and they have to be looked at again.
    #[must_use]
    pub fn retry(self: &Arc<Self>, record: Routed<'_>, part: Option<&str>) -> Opening {
        let again = part.map(|part| {
            let owner = [(self.partition_attribute.clone(), AttributeValue::string(part))].into();
            match self.rows.selection.selects(&owner) {
                true => Again::Owner(part.to_owned()),
                false => Again::Unregistered,
            }
        });
        self.open_as(&[record], again.as_ref())
    }

    fn role(&self, index: usize, record: &Record) -> Role {
        let key_item: Item =
            [(self.partition_attribute.clone(), record.key.partition.to_attribute_value())]
                .into_iter()
                .chain(
                    record
                        .key
                        .sort
                        .as_ref()
                        .map(|it| (self.sort_attribute.clone(), it.to_attribute_value())),
                )
                .collect();
        let is_row = self.rows.selection.selects(&key_item);
        if !is_row && !self.selection.selects(&key_item) {
            return Role::NotSelected;
        }
        let image = match &record.image {
            Ok(Some(image)) => image,
            Ok(None) => return Role::NotSelected,
            Err(error) => {
                return Role::Unusable { reason: reason(error) };
            }
        };
        if is_row {
            self.row_role(index, record, image)
        } else {
            self.source_role(index, record, image)
        }
    }

    fn source_role(&self, index: usize, record: &Record, image: &Item) -> Role {
        let order = record.key.sort.as_ref().and_then(|it| it.as_string());
        let Some((group, order)) = self.group_of_source_item(image).zip(order) else {
            return Role::NotSelected;
        };
        if let Err(reason) = check_group(group) {
            return Role::Unusable { reason };
        }
        let copied = self.copied(image);
        let byte_count = item_byte_count(&copied);
        if byte_count > COPIED_BYTES_MAX {
            let reason = format!(
                "the copied attributes have {byte_count} bytes; a head holds {COPIED_BYTES_MAX}"
            );
            return Role::Unusable { reason };
        }
        Role::Source(SourceRecord {
            index,
            group: group.to_owned(),
            key: record.key.clone(),
            order: order.to_owned(),
            version: record.version.clone(),
            copied,
        })
    }

    fn row_role(&self, index: usize, record: &Record, image: &Item) -> Role {
        let attribute = &self.rows.group_attribute;
        let group = match image.get(attribute) {
            None => return Role::NotSelected,
            Some(AttributeValue::S(group)) => group,
            Some(other) => {
                let type_name = other.type_name();
                let reason =
                    format!("the group attribute `{attribute}` is {type_name}, not a string");
                return Role::Unusable { reason };
            }
        };
        if let Err(reason) = check_group(group) {
            return Role::Unusable { reason };
        }
        let owner_and_sort = record
            .key
            .partition
            .as_string()
            .zip(record.key.sort.as_ref().and_then(|sort| sort.as_string()));
        match owner_and_sort {
            None => Role::NotSelected,
            Some((owner, sort)) => Role::Row(RowHint {
                index,
                group: group.clone(),
                owner: owner.to_owned(),
                sort: sort.to_owned(),
                version: record.version.clone(),
            }),
        }
    }
}

fn task_of<'a>(
    view: &Arc<LatestView>,
    groups: &'a mut BTreeMap<String, GroupTask>,
    group: &str,
) -> &'a mut GroupTask {
    groups.entry(group.to_owned()).or_insert_with(|| GroupTask::new(Arc::clone(view), group))
}

fn check_group(group: &str) -> Result<(), String> {
    let byte_count = group.len();
    if (1..=GROUP_BYTES_MAX).contains(&byte_count) {
        Ok(())
    } else {
        Err(format!("the group has {byte_count} bytes; 1 to {GROUP_BYTES_MAX} are possible"))
    }
}
