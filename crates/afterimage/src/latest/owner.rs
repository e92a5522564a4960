//! What becomes of one owner's rows: a pure plan, given all that was read.

use std::collections::BTreeSet;

use super::head::Newest;
use super::state::Known;
use super::view::LatestView;
use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::canary::{InnerCanary, is_planted};
use crate::key::ItemKey;
use crate::limits::{ITEM_BYTES_MAX, ROW_ATTRIBUTES_MAX, SORT_KEY_BYTES_MAX};
use crate::write::{Action, Changes, Clause, Write};

/// Rows of one owner and group that are merged into one in a single transaction.
const MERGED_ROWS_MAX: usize = 4;

/// Keys at which a row is gone that are dropped in a single transaction.
const GONE_ROWS_MAX: usize = 8;

/// One owner's rows, as far as they are known of.
pub(super) struct OwnerRows<'a> {
    /// The view.
    pub view: &'a LatestView,
    /// The group.
    pub group: &'a str,
    /// The owner.
    pub owner: &'a str,
    /// Sort keys that the head registers.
    pub registered: &'a [String],
    /// Sort keys that a record or the index told of.
    pub noticed: &'a BTreeSet<String>,
    /// The group's newest source item.
    pub newest: Option<&'a Newest>,
}

/// What is to be done about one owner's rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum OwnerPlan {
    /// These items have to be read first.
    Needs(Vec<ItemKey>),
    /// The rows are changed by these writes, and stand at these sort keys then. `is_complete` is
    /// whether they follow the newest then.
    Rows { writes: Vec<Write>, sorts: Vec<String>, is_complete: bool },
    /// The row can never be written where it belongs; it stays where it is.
    Unwritable { reason: String, sorts: Vec<String> },
}

/// One row that stands.
#[derive(Clone, Copy)]
struct Standing<'a> {
    sort: &'a str,
    item: &'a Item,
}

impl OwnerRows<'_> {
    /// Plans how the owner's rows come to stand once, at the newest's key, with its copied attributes.
    pub(super) fn plan(&self, known: &Known) -> OwnerPlan {
        let Some(newest) = self.newest else {
            return self.plan_without_newest(known);
        };
        let targets = LatestView::target_sorts(self.group, &newest.order);
        let [first_target, second_target] = &targets;
        let mut sorts: BTreeSet<&str> = self.registered.iter().map(String::as_str).collect();
        sorts.extend(self.noticed.iter().map(String::as_str));
        sorts.insert(first_target);
        let taken = matches!(
            known.get(&self.key(first_target)),
            Some(Some(item)) if !self.view.is_row_of(self.group, item)
        );
        if taken && second_target.len() > SORT_KEY_BYTES_MAX {
            return self
                .unwritable("the key that it belongs at is taken, and the other is too long");
        }
        if taken {
            sorts.insert(second_target);
        }
        let standing = match self.all_standing(known, &sorts) {
            Ok(standing) => standing,
            Err(unread) => return OwnerPlan::Needs(unread),
        };
        let at_target = targets
            .iter()
            .find_map(|target| standing.iter().find(|row| row.sort == target.as_str()));
        let gone = self.gone(&standing);
        match (at_target, standing.last()) {
            (Some(survivor), _) => self.update_in_place(newest, *survivor, &standing, gone),
            (None, Some(survivor)) => {
                let target = if taken { second_target } else { first_target };
                match taken && matches!(known.get(&self.key(target)), Some(Some(_))) {
                    true => {
                        self.unwritable("both keys that it could stand at are taken by other items")
                    }
                    false => self.move_to(target, newest, *survivor, &standing, gone),
                }
            }
            (None, None) => self.rows_plan(Vec::new(), None, &[], gone),
        }
    }

    /// Rows of a group without a newest stay as put: they are only registered.
    fn plan_without_newest(&self, known: &Known) -> OwnerPlan {
        let sorts: BTreeSet<&str> =
            self.registered.iter().chain(self.noticed).map(String::as_str).collect();
        let standing = match self.all_standing(known, &sorts) {
            Ok(standing) => standing,
            Err(unread) => return OwnerPlan::Needs(unread),
        };
        let gone = self.gone(&standing);
        self.rows_plan(Vec::new(), None, &standing, gone)
    }

    fn key(&self, sort: &str) -> ItemKey {
        self.view.row_key(self.owner, sort)
    }

    /// The rows of the group that stand at these sort keys, or the keys that have to be read first.
    fn all_standing<'a>(
        &self,
        known: &'a Known,
        sorts: &BTreeSet<&'a str>,
    ) -> Result<Vec<Standing<'a>>, Vec<ItemKey>> {
        let keys = sorts.iter().map(|sort| self.key(sort));
        let unread: Vec<_> = keys.filter(|key| !known.contains_key(key)).collect();
        if unread.is_empty() {
            Ok(sorts.iter().filter_map(|sort| self.standing(known, sort)).collect())
        } else {
            Err(unread)
        }
    }

    fn standing<'a>(&self, known: &'a Known, sort: &'a str) -> Option<Standing<'a>> {
        let item = known.get(&self.key(sort))?.as_ref()?;
        self.view.is_row_of(self.group, item).then_some(Standing { sort, item })
    }

    /// Registered sort keys where no row of the group stands any more.
    fn gone(&self, standing: &[Standing<'_>]) -> Vec<&str> {
        let stands = |sort: &&str| standing.iter().any(|row| row.sort == *sort);
        self.registered.iter().map(String::as_str).filter(|sort| !stands(sort)).collect()
    }

    /// A row is dropped only if it is gone when the head says so: absent, or of another group.
    fn check_gone(&self, sort: &str) -> Write {
        let group = AttributeValue::string(self.group);
        Write {
            key: self.key(sort),
            action: Action::Check,
            conditions: vec![Clause::Differs(self.view.rows.group_attribute.clone(), group)],
            read_byte_count: 0,
        }
    }

    fn update_in_place(
        &self,
        newest: &Newest,
        survivor: Standing<'_>,
        standing: &[Standing<'_>],
        gone: Vec<&str>,
    ) -> OwnerPlan {
        let (others, left) = split_others(survivor, standing);
        let mut changes = Changes::default();
        let wanted = self.merged(survivor, &others, newest);
        for (name, value) in &wanted {
            let is_echoed =
                is_planted(InnerCanary::EchoNotRecognised) && self.view.copy.contains(name);
            if survivor.item.get(name) != Some(value) || is_echoed {
                changes.set.insert(name.clone(), value.clone());
            }
        }
        changes.remove =
            survivor.item.keys().filter(|name| !wanted.contains_key(*name)).cloned().collect();
        let mut writes = Vec::new();
        if changes != Changes::default() {
            if let Some(reason) = self.unwritable_item(&wanted) {
                return self.unwritable(&reason);
            }
            // An attribute that a merge overwrites must still be as it was read.
            let merged = changes.set.keys().filter(|name| !self.view.copy.contains(name));
            let mut conditions: Vec<_> =
                merged.map(|name| as_read(name, survivor.item.get(name))).collect();
            conditions.push(self.is_row_clause());
            let key = self.key(survivor.sort);
            let read_byte_count = item_byte_count(survivor.item);
            writes.push(Write {
                key,
                action: Action::Update(changes),
                conditions,
                read_byte_count,
            });
        }
        writes.extend(others.iter().map(|row| self.delete(*row)));
        self.rows_plan(writes, Some(survivor.sort), &left, gone)
    }

    fn move_to(
        &self,
        target: &str,
        newest: &Newest,
        survivor: Standing<'_>,
        standing: &[Standing<'_>],
        gone: Vec<&str>,
    ) -> OwnerPlan {
        if target.len() > SORT_KEY_BYTES_MAX {
            return self.unwritable("the key that it belongs at is longer than a sort key can be");
        }
        let (others, left) = split_others(survivor, standing);
        let mut item = self.merged(survivor, &others, newest);
        item.insert(self.view.sort_attribute.clone(), AttributeValue::string(target));
        let removed = std::iter::once(&survivor).chain(&others);
        let unwritable = removed
            .clone()
            .find(|row| row.item.len() + self.view.rows.may_gain.len() > ROW_ATTRIBUTES_MAX)
            .map(|_| format!("it has more than {ROW_ATTRIBUTES_MAX} attributes"))
            .or_else(|| self.unwritable_item(&item));
        if let Some(reason) = unwritable {
            return self.unwritable(&reason);
        }
        let mut writes = vec![Write {
            key: self.key(target),
            action: Action::Put(item),
            conditions: vec![Clause::Missing(self.view.partition_attribute.clone())],
            read_byte_count: 0,
        }];
        writes.extend(removed.map(|row| self.delete(*row)));
        // Where a row is gone from the very key that is put, the put's own condition says so.
        let gone = gone.into_iter().filter(|sort| *sort != target).collect();
        self.rows_plan(writes, Some(target), &left, gone)
    }

    /// The plan in which a row comes to stand at `sort`, `left` wait to be merged into it, and keys at
    /// which a row is gone are dropped, as many as one transaction takes.
    fn rows_plan(
        &self,
        mut writes: Vec<Write>,
        sort: Option<&str>,
        left: &[Standing<'_>],
        mut gone: Vec<&str>,
    ) -> OwnerPlan {
        let still_registered = gone.split_off(gone.len().min(GONE_ROWS_MAX));
        writes.extend(gone.into_iter().map(|sort| self.check_gone(sort)));
        let is_complete = (left.is_empty() || sort.is_none()) && still_registered.is_empty();
        let left = left.iter().map(|row| row.sort).chain(still_registered);
        let sorts = sort.into_iter().chain(left).map(str::to_owned).collect();
        OwnerPlan::Rows { writes, sorts, is_complete }
    }

    /// The surviving row with what the others hold beyond it, and the newest's copied attributes. An
    /// unregistered row was put after a registered one was last moved: its values are the newer.
    fn merged(&self, survivor: Standing<'_>, others: &[Standing<'_>], newest: &Newest) -> Item {
        let is_registered = |row: &Standing<'_>| self.registered.iter().any(|it| it == row.sort);
        let keys = [&self.view.partition_attribute, &self.view.sort_attribute];
        let mut merged = survivor.item.clone();
        for other in others {
            let prevails = is_registered(&survivor) && !is_registered(other);
            for (name, value) in other.item.iter().filter(|(name, _)| !keys.contains(name)) {
                if prevails || !merged.contains_key(name) {
                    merged.insert(name.clone(), value.clone());
                }
            }
        }
        for name in &self.view.copy {
            match newest.copied.get(name) {
                Some(value) => merged.insert(name.clone(), value.clone()),
                None => merged.remove(name),
            };
        }
        merged
    }

    /// Deletes a row on condition that it still is as it was read, and gained nothing declared.
    fn delete(&self, row: Standing<'_>) -> Write {
        let keys = [&self.view.partition_attribute, &self.view.sort_attribute];
        let attributes = row.item.iter().filter(|(name, _)| !keys.contains(name));
        let as_read = attributes.map(|(name, value)| Clause::Equals(name.clone(), value.clone()));
        let may_gain = self.view.rows.may_gain.iter().filter(|name| !row.item.contains_key(*name));
        let not_gained = may_gain.cloned().map(Clause::Missing);
        Write {
            key: self.key(row.sort),
            action: Action::Delete,
            conditions: as_read.chain(not_gained).collect(),
            read_byte_count: item_byte_count(row.item),
        }
    }

    fn is_row_clause(&self) -> Clause {
        Clause::Equals(self.view.rows.group_attribute.clone(), AttributeValue::string(self.group))
    }

    fn unwritable_item(&self, item: &Item) -> Option<String> {
        let byte_count = item_byte_count(item);
        (byte_count > ITEM_BYTES_MAX)
            .then(|| format!("it would have {byte_count} bytes; an item holds {ITEM_BYTES_MAX}"))
    }

    /// The row stays where it is.
    pub(super) fn unwritable(&self, reason: &str) -> OwnerPlan {
        let mut sorts: BTreeSet<String> = self.registered.iter().cloned().collect();
        sorts.extend(self.noticed.iter().cloned());
        OwnerPlan::Unwritable {
            reason: format!("the row cannot follow: {reason}"),
            sorts: sorts.into_iter().collect(),
        }
    }
}

/// The rows to be merged into the survivor now, and those that wait for the next transaction.
fn split_others<'a>(
    survivor: Standing<'a>,
    standing: &[Standing<'a>],
) -> (Vec<Standing<'a>>, Vec<Standing<'a>>) {
    let mut others: Vec<_> =
        standing.iter().copied().filter(|row| row.sort != survivor.sort).collect();
    let left = others.split_off(others.len().min(MERGED_ROWS_MAX));
    (others, left)
}

fn as_read(name: &str, value: Option<&AttributeValue>) -> Clause {
    match value {
        Some(value) => Clause::Equals(name.to_owned(), value.clone()),
        None => Clause::Missing(name.to_owned()),
    }
}
