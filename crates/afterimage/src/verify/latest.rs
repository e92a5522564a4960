//! The audit of a `latest` view: each group's head against the newest source item, and its rows
//! against the head.

mod parked;

pub use parked::LatestParked;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Digest, Drift};
use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::keys::head_prefix;
use crate::latest::{Chunk, Head, LatestView};
use crate::limits::{COPIED_BYTES_MAX, GROUP_BYTES_MAX};

/// What was seen of a group's head.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct HeadSight {
    /// The newest's order key and copied attributes.
    pub newest: Option<(String, Digest)>,
    /// The owners and sort keys that it registers, chunks included.
    pub places: BTreeSet<(String, String)>,
    /// Whether it, or one of its chunks, cannot be read.
    pub is_broken: bool,
    /// The revision.
    pub revision: u64,
}

/// What was seen of a source item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceSight {
    /// The group.
    pub group: String,
    /// Its order key and copied attributes.
    pub newest: (String, Digest),
    /// Whether a head can follow it: its copied attributes are not too large.
    pub is_fit: bool,
}

/// What was seen of a row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RowSight {
    /// The owner: its partition key.
    pub owner: String,
    /// Its sort key.
    pub sort: String,
    /// Its copied attributes.
    pub copied: Digest,
}

/// What was seen of a group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sight {
    /// The newest source item that the table holds, of those that a head can follow: its order key and its
    /// copied attributes.
    pub newest: Option<(String, Digest)>,
    /// The newest source item that is too large for a head to follow, so that its record is parked.
    pub unfit: Option<(String, Digest)>,
    /// The head.
    pub head: Option<HeadSight>,
    /// Every row that stands.
    pub rows: BTreeSet<RowSight>,
}

/// What is wrong with a group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SightFault {
    /// What it is that is wrong.
    pub subject: FaultSubject,
    /// The derived item, what it should say, and what it says.
    pub drift: Drift,
}

/// What is wrong: only a parked record of just that can explain it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FaultSubject {
    /// The head does not follow this source item: its order key and copied attributes.
    Source(String, Digest),
    /// The head itself.
    Head,
    /// A row.
    Row {
        /// The owner.
        owner: String,
        /// Whether it is that the head does not know of the row.
        is_unregistered: bool,
    },
}

/// The first look at a `latest` view.
#[derive(Debug)]
pub struct LatestAudit {
    view: Arc<LatestView>,
    groups: BTreeMap<String, Sight>,
    /// Source items and rows that were read.
    pub source_item_count: u64,
}

impl LatestAudit {
    /// An audit that has seen nothing yet.
    #[must_use]
    pub fn new(view: Arc<LatestView>) -> Self {
        Self { view, groups: BTreeMap::new(), source_item_count: 0 }
    }

    /// The view.
    #[must_use]
    pub fn view(&self) -> &LatestView {
        &self.view
    }

    /// Attributes of source items and rows that the audit needs.
    #[must_use]
    pub fn attributes(view: &LatestView) -> BTreeSet<String> {
        let keys = [&view.partition_attribute, &view.sort_attribute, &view.rows.group_attribute];
        keys.into_iter().chain(&view.copy).cloned().collect()
    }

    fn sight(&mut self, group: &str) -> &mut Sight {
        self.groups.entry(group.to_owned()).or_default()
    }

    /// The group of a source item, its order key and its copied attributes.
    #[must_use]
    pub fn source_sight(view: &LatestView, item: &Item) -> Option<SourceSight> {
        let order = item.get(&view.sort_attribute).and_then(AttributeValue::as_string)?;
        let group = view.group_of_source_item(item)?;
        let copied = view.copied(item);
        (1..=GROUP_BYTES_MAX).contains(&group.len()).then(|| SourceSight {
            group: group.to_owned(),
            newest: (order.to_owned(), Digest::of_item(&copied)),
            is_fit: item_byte_count(&copied) <= COPIED_BYTES_MAX,
        })
    }

    /// What is known of a row, and its group.
    #[must_use]
    pub fn row_sight(view: &LatestView, item: &Item) -> Option<(String, RowSight)> {
        let text = |name: &String| item.get(name).and_then(AttributeValue::as_string);
        let group = text(&view.rows.group_attribute).filter(|_| view.rows.selection.selects(item));
        let group = group.filter(|group| (1..=GROUP_BYTES_MAX).contains(&group.len()))?;
        let row = RowSight {
            owner: text(&view.partition_attribute)?.to_owned(),
            sort: text(&view.sort_attribute)?.to_owned(),
            copied: Digest::of_item(&view.copied(item)),
        };
        Some((group.to_owned(), row))
    }

    /// Takes a source item or a row.
    pub fn source(&mut self, item: &Item) {
        if let Some(SourceSight { group, newest, is_fit }) = Self::source_sight(&self.view, item) {
            self.source_item_count += 1;
            let sight = self.sight(&group);
            let known = if is_fit { &mut sight.newest } else { &mut sight.unfit };
            if known.as_ref().is_none_or(|(order, _)| *order < newest.0) {
                *known = Some(newest);
            }
        } else if let Some((group, row)) = Self::row_sight(&self.view, item) {
            self.source_item_count += 1;
            self.sight(&group).rows.insert(row);
        }
    }

    /// Takes an item of `derived`; one that is not the view's is left alone.
    pub fn derived(&mut self, item: &Item) {
        let text = |name| item.get(name).and_then(AttributeValue::as_string);
        let prefix = self.head_prefix();
        let Some((partition, sort)) = text("pk").zip(text("sk")) else {
            return;
        };
        if let Some(group) = partition.strip_prefix(&prefix) {
            let head = self.sight(group).head.get_or_insert_default();
            head.take(sort, item);
        }
    }

    /// What partition keys of the view's heads begin with.
    #[must_use]
    pub fn head_prefix(&self) -> String {
        head_prefix(&self.view.name)
    }

    /// How many groups were seen.
    #[must_use]
    pub fn group_count(&self) -> usize {
        self.groups.len()
    }

    /// Groups that have to be looked at again, with what was seen of their rows.
    pub fn suspects(&self) -> impl Iterator<Item = (&str, &Sight)> {
        let groups = self.groups.iter().map(|(group, sight)| (group.as_str(), sight));
        groups.filter(|(group, sight)| !self.faults(group, sight).is_empty())
    }

    /// Groups whose head follows a source item that the table does not hold any more.
    #[must_use]
    pub fn retained_count(&self) -> u64 {
        let is_retained = |sight: &&Sight| {
            let head = sight.head.as_ref().and_then(|head| head.newest.as_ref());
            let order = |newest: &(String, Digest)| newest.0.clone();
            head.map(order) > sight.newest.as_ref().map(order)
        };
        self.groups.values().filter(is_retained).count() as u64
    }

    /// What is wrong with a group.
    #[must_use]
    pub fn faults(&self, group: &str, sight: &Sight) -> Vec<SightFault> {
        let head_fault = head_fault(group, sight).into_iter();
        let mut faults: Vec<_> = head_fault.chain(unfit_fault(group, sight)).collect();
        if sight.head.as_ref().is_some_and(|head| head.is_broken) {
            return faults;
        }
        let head = sight.head.as_ref().and_then(|head| head.newest.as_ref());
        let newest = head.or(sight.newest.as_ref());
        let mut owners = BTreeSet::new();
        for row in &sight.rows {
            let is_second = !owners.insert(&row.owner);
            let head = sight.head.as_ref();
            let is_registered = head
                .is_none_or(|head| head.places.contains(&(row.owner.clone(), row.sort.clone())));
            let fault = newest
                .and_then(|newest| row_fault(group, newest, row, is_second))
                .map(|(expected, found)| (expected, found.to_owned(), !is_registered))
                .or_else(|| {
                    let expected = "registered by its head".to_owned();
                    (!is_registered).then(|| (expected, "not registered".to_owned(), true))
                });
            faults.extend(fault.map(|(expected, found, is_unregistered)| SightFault {
                subject: FaultSubject::Row { owner: row.owner.clone(), is_unregistered },
                drift: Drift { item: format!("row {} / {}", row.owner, row.sort), expected, found },
            }));
        }
        faults
    }
}

fn order(newest: Option<&(String, Digest)>) -> String {
    match newest {
        Some((order, _)) => format!("newest {order}"),
        None => "no newest".to_owned(),
    }
}

fn head_fault(group: &str, sight: &Sight) -> Option<SightFault> {
    let newest = sight.newest.as_ref();
    let (expected, found) = match (&sight.head, newest) {
        (Some(head), _) if head.is_broken => {
            ("a head".to_owned(), "an item that cannot be read".to_owned())
        }
        (None, None) if sight.unfit.is_some() => return None,
        (None, newest) => (order(newest), "no head".to_owned()),
        (Some(_), None) => return None,
        (Some(head), Some((in_table, copied))) => match &head.newest {
            // Under `skip` the head keeps a newest that was deleted.
            Some((kept, _)) if kept > in_table => return None,
            Some((kept, carried)) if kept == in_table && carried == copied => return None,
            Some((kept, _)) if kept == in_table => (
                format!("newest {in_table} as the table holds it"),
                "other copied attributes".to_owned(),
            ),
            kept => (order(newest), order(kept.as_ref())),
        },
    };
    let is_broken = sight.head.as_ref().is_some_and(|head| head.is_broken);
    let subject = match newest.filter(|_| !is_broken) {
        Some((order, copied)) => FaultSubject::Source(order.clone(), *copied),
        None => FaultSubject::Head,
    };
    Some(SightFault { subject, drift: Drift { item: format!("head of {group}"), expected, found } })
}

/// The newest source item of all is one that no head can follow.
fn unfit_fault(group: &str, sight: &Sight) -> Option<SightFault> {
    let (unfit, copied) = sight.unfit.as_ref()?;
    let head = sight.head.as_ref().and_then(|head| head.newest.as_ref());
    let followed = head.max(sight.newest.as_ref());
    if followed.is_some_and(|(order, _)| order >= unfit) {
        return None;
    }
    let found = format!("{}: {unfit} is too large to be copied", order(followed));
    let drift =
        Drift { item: format!("head of {group}"), expected: format!("newest {unfit}"), found };
    Some(SightFault { subject: FaultSubject::Source(unfit.clone(), *copied), drift })
}

/// What a row should be and is, where it does not follow the newest.
fn row_fault(
    group: &str,
    (order, copied): &(String, Digest),
    row: &RowSight,
    is_second: bool,
) -> Option<(String, &'static str)> {
    let is_at_target = LatestView::target_sorts(group, order).contains(&row.sort);
    if is_second {
        Some(("one row of its owner and group".to_owned(), "another one"))
    } else if !is_at_target {
        Some((format!("at {order}"), "elsewhere"))
    } else if row.copied != *copied {
        Some(("the newest's copied attributes".to_owned(), "others"))
    } else {
        None
    }
}

impl HeadSight {
    /// Takes the head, or one of its chunks, by its sort key.
    pub fn take(&mut self, sort: &str, item: &Item) {
        let places = if sort == "head" {
            Head::from_item(item).map(|head| {
                let newest = head.newest;
                self.newest = newest.map(|it| (it.order, Digest::of_item(&it.copied)));
                self.revision = head.revision;
                head.places
            })
        } else {
            Chunk::from_item(item).map(|chunk| chunk.places)
        };
        match places {
            Ok(places) => self.places.extend(places.into_iter().flat_map(|place| {
                let owner = place.owner.to_string();
                place.sorts.into_iter().map(move |sort| (owner.clone(), sort))
            })),
            Err(_) => self.is_broken = true,
        }
    }
}
