//! What the parked records of a `latest` view explain.

use std::collections::BTreeSet;

use super::{FaultSubject, LatestAudit, SightFault};
use crate::attribute_value::{AttributeValue, Item};
use crate::latest::LatestView;
use crate::parked::ParkedRecord;
use crate::record::Record;
use crate::verify::{Digest, Explanation};

/// Parked records of a view, by what they are of.
#[derive(Debug, Default)]
pub struct LatestParked {
    /// Groups, order keys and copied attributes of parked source items; no attributes where the record holds no
    /// usable image.
    sources: BTreeSet<(String, String, Option<Digest>)>,
    /// Groups and owners of parked rows.
    owners: BTreeSet<(String, String)>,
    /// Groups with more rows than were taken.
    beyond: BTreeSet<String>,
}

impl LatestParked {
    /// Takes a record that the view parked, and what it is of.
    pub fn take(&mut self, view: &LatestView, parked: &ParkedRecord, record: &Record) {
        if let Some(rows) = &parked.rows {
            let group = rows.group.to_string();
            match &rows.owner {
                Some(owner) => self.owners.insert((group, owner.to_string())),
                None => self.beyond.insert(group),
            };
            return;
        }
        let image = record.image.as_ref().ok().and_then(Option::as_ref);
        let key_item = record.key.to_item(&view.definition);
        let item = image.unwrap_or(&key_item);
        let is_row = view.rows.selection.selects(&key_item);
        let row_group = item.get(&view.rows.group_attribute).and_then(AttributeValue::as_string);
        let group = if is_row { row_group } else { view.group_of_source_item(&key_item) };
        let Some(group) = group.map(str::to_owned) else {
            return;
        };
        let owner_item = |owner: &str| -> Item {
            [(view.partition_attribute.clone(), AttributeValue::string(owner))].into()
        };
        match &parked.part {
            Some(part) if view.rows.selection.selects(&owner_item(part)) => {
                self.owners.insert((group, part.clone()));
            }
            Some(_) => {
                self.beyond.insert(group);
            }
            None if is_row => {
                self.owners.insert((group, record.key.partition.to_string()));
            }
            None => {
                let order = record.key.sort.as_ref().and_then(|it| it.as_string());
                let sight = image.and_then(|image| LatestAudit::source_sight(view, image));
                let copied = sight.map(|it| it.newest.1);
                self.sources.extend(order.map(|order| (group, order.to_owned(), copied)));
            }
        }
    }

    /// Whether one of them explains what is wrong with a group. A source item is explained by a record that holds
    /// it as it stands; an older one of the same group explains nothing. A row is explained by a record of the same
    /// owner and group: `parked retry` looks at that row anew.
    #[must_use]
    pub fn explanation(&self, group: &str, fault: &SightFault) -> Explanation {
        let is_explained = match &fault.subject {
            FaultSubject::Head => false,
            FaultSubject::Source(order, copied) => {
                let of = |copied| (group.to_owned(), order.clone(), copied);
                if !self.sources.contains(&of(Some(*copied))) && self.sources.contains(&of(None)) {
                    return Explanation::Unknown;
                }
                self.sources.contains(&of(Some(*copied)))
            }
            FaultSubject::Row { owner, is_unregistered } => {
                self.owners.contains(&(group.to_owned(), owner.clone()))
                    || (*is_unregistered && self.beyond.contains(group))
            }
        };
        if is_explained { Explanation::Explained } else { Explanation::Unexplained }
    }
}
