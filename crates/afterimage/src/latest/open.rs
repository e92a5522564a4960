//! From records to tasks: what a record is to a `latest` view, and a task for each group.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::state::{Again, GroupState, RowHint, SourceRecord};
use super::task::GroupTask;
use super::view::LatestView;
use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::engine::{Opening, Parking, ParkingTask, Routed, Settled, Task};
use crate::limits::{COPIED_BYTES_MAX, GROUP_BYTES_MAX};
use crate::outcome::Outcome;
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

    fn open_as(self: &Arc<Self>, records: &[Routed<'_>], again: Option<&Again>) -> Opening {
        let mut settled = Vec::new();
        let mut parkings = Vec::new();
        let mut groups: BTreeMap<String, GroupState> = BTreeMap::new();
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
                    parkings.push(Parking { index, reason, part: None });
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

fn group_of<'a>(
    view: &Arc<LatestView>,
    groups: &'a mut BTreeMap<String, GroupState>,
    group: &str,
) -> &'a mut GroupState {
    groups.entry(group.to_owned()).or_insert_with(|| GroupState::new(Arc::clone(view), group))
}

fn check_group(group: &str) -> Result<(), String> {
    let byte_count = group.len();
    if (1..=GROUP_BYTES_MAX).contains(&byte_count) {
        Ok(())
    } else {
        Err(format!("the group has {byte_count} bytes; 1 to {GROUP_BYTES_MAX} are possible"))
    }
}
