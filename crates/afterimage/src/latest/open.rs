//! From records to tasks: what a record is to a `latest` view, and a task for each group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::state::{Again, GroupState, RowHint, SourceRecord};
use super::task::GroupTask;
use super::view::LatestView;
use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::engine::{Opening, Parking, ParkingTask, Routed, Settled, Task};
use crate::group_name::{GroupName, GroupNameError};
use crate::limits::COPIED_BYTES_MAX;
use crate::outcome::Outcome;
use crate::parked::ParkedRecord;
use crate::reason::reason;
use crate::record::{Change, Record};

/// What a record is to a view.
enum Role {
    Source(SourceRecord),
    Row(RowHint),
    NotSelected,
    Unusable { reason: String },
}

impl LatestView {
    /// Keeps the newest source record and the hinted rows of each group, and makes a task of each.
    #[must_use]
    pub fn open(self: &Arc<Self>, records: &[Routed<'_>]) -> Opening {
        self.open_as(records, None)
    }

    fn open_as(
        self: &Arc<Self>,
        records: &[Routed<'_>],
        again: Option<&(usize, Again)>,
    ) -> Opening {
        let mut settled = Vec::new();
        let mut parkings = Vec::new();
        let mut groups: BTreeMap<GroupName, GroupState> = BTreeMap::new();
        for Routed { index, record } in records.iter().copied() {
            if record.change == Change::Remove {
                settled.push(Settled::Outcome { index, outcome: Outcome::Skipped });
                continue;
            }
            let coalesced = match self.role(index, record) {
                Role::Source(source) => group_of(self, &mut groups, &source.group).offer(source),
                Role::Row(hint) => group_of(self, &mut groups, &hint.group).hint(hint),
                Role::NotSelected => Some(Settled::Outcome { index, outcome: Outcome::Skipped }),
                Role::Unusable { reason } => {
                    parkings.push(Parking { index, reason, rows: None });
                    None
                }
            };
            settled.extend(coalesced);
        }
        let mut tasks: Vec<Box<dyn Task>> = Vec::new();
        tasks.extend(groups.into_values().map(|mut group| {
            group.again = again.cloned();
            Box::new(GroupTask::new(group)) as Box<dyn Task>
        }));
        if !parkings.is_empty() {
            tasks.push(Box::new(ParkingTask::new(parkings)));
        }
        Opening { settled, tasks }
    }

    /// Opens again what was parked. A record is opened as if it came for the first time: the head tells whether it
    /// still matters. Rows are looked at again, since the head is content with them.
    #[must_use]
    pub fn retry(self: &Arc<Self>, record: Routed<'_>, parked: &ParkedRecord) -> Opening {
        if let Some(rows) = &parked.rows {
            let mut group = GroupState::new(Arc::clone(self), rows.group.clone());
            let rows = match &rows.owner {
                Some(owner) => Again::Owner(owner.clone()),
                None => Again::Unregistered,
            };
            group.again = Some((record.index, rows));
            return Opening { settled: Vec::new(), tasks: vec![Box::new(GroupTask::new(group))] };
        }
        // Version 0.1 parked rows as a part of the record that told of them.
        let again = parked.part.as_ref().map(|part| {
            let owner = [(self.partition_attribute.clone(), AttributeValue::string(part))].into();
            let owner = part.parse().ok().filter(|_| self.rows.selection.selects(&owner));
            let rows = owner.map_or(Again::Unregistered, Again::Owner);
            (record.index, rows)
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
        let group = match group.parse() {
            Ok(group) => group,
            Err(error) => return unusable(&error),
        };
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
            group,
            key: record.key.clone(),
            order: order.to_owned(),
            version: record.version.clone(),
            copied,
        })
    }

    fn row_role(&self, index: usize, record: &Record, image: &Item) -> Role {
        let attribute = &self.rows.group_attribute;
        let group = match image.get(attribute) {
            // SDKs write "none" as NULL.
            None | Some(AttributeValue::Null) => return Role::NotSelected,
            Some(AttributeValue::S(group)) => group,
            Some(other) => {
                let type_name = other.type_name();
                let reason =
                    format!("the group attribute `{attribute}` is {type_name}, not a string");
                return Role::Unusable { reason };
            }
        };
        let group = match group.parse() {
            Ok(group) => group,
            Err(error) => return unusable(&error),
        };
        let owner = record.key.partition.as_string().and_then(|it| it.parse().ok());
        let owner_and_sort = owner.zip(record.key.sort.as_ref().and_then(|sort| sort.as_string()));
        match owner_and_sort {
            None => Role::NotSelected,
            Some((owner, sort)) => Role::Row(RowHint {
                index,
                group,
                owner,
                sort: sort.to_owned(),
                version: record.version.clone(),
            }),
        }
    }
}

fn group_of<'a>(
    view: &Arc<LatestView>,
    groups: &'a mut BTreeMap<GroupName, GroupState>,
    group: &GroupName,
) -> &'a mut GroupState {
    let new = || GroupState::new(Arc::clone(view), group.clone());
    groups.entry(group.clone()).or_insert_with(new)
}

fn unusable(error: &GroupNameError) -> Role {
    Role::Unusable { reason: error.to_string() }
}
