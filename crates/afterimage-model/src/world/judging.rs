//! What is wrong with a world, whoever is at work in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use afterimage::count::{Entry, contribution_of_item};
use afterimage::latest::{Head, head_key};
use afterimage::{AttributeValue, Item, fold};
use afterimage_schema::Table;

use super::application_state::{own_attributes, row_partition};
use super::commit::whole;
use super::judgement::Judgement;
use super::tables::{ALBUMS, MESSAGES};
use super::{Delivered, World};
use crate::deployment::Deployment;
use crate::identity;

/// Judges a world.
fn judge(deployment: &Deployment, world: &World) -> Judgement {
    let records = world.stream.iter();
    let without_effect = records.filter(|it| !has_effect(deployment, world, it));
    Judgement {
        rows: rows(world),
        counts: counts(deployment, world),
        without_effect: without_effect.map(|it| it.identity).collect(),
    }
}

/// The rows that stand, by owner and group, with what the application holds of each.
fn standing(world: &World) -> BTreeMap<(String, String), Vec<Item>> {
    let mut standing: BTreeMap<(String, String), Vec<Item>> = BTreeMap::new();
    for (key, row) in world.table(MESSAGES) {
        let owner = key.partition.as_string().and_then(|it| it.strip_prefix("GRP#"));
        let group = row.get("message_group_uuid").and_then(AttributeValue::as_string);
        if let Some((owner, group)) = owner.zip(group) {
            let place = (owner.to_owned(), group.to_owned());
            standing.entry(place).or_default().push(own_attributes(row));
        }
    }
    standing
}

fn rows(world: &World) -> Option<String> {
    let found = standing(world);
    let expected = world.application.rows.iter();
    let expected: BTreeMap<_, _> =
        expected.map(|(place, left)| (place.clone(), vec![left.own.clone()])).collect();
    (found != expected).then(|| {
        let places = expected.keys().chain(found.keys());
        let wrong = places.filter(|place| found.get(*place) != expected.get(*place));
        let wrong = wrong.map(|place| {
            let count = found.get(place).map_or(0, Vec::len);
            let (owner, group) = place;
            format!("the row of {owner} in {group} stands {count} times, or not as it was left")
        });
        wrong.take(1).collect()
    })
}

/// The counts by group that are not 0; `None` where one is no whole number.
fn found_counts(deployment: &Deployment, world: &World) -> Option<BTreeMap<String, i64>> {
    let target = &deployment.count_view.target;
    let partition = AttributeValue::string(&target.partition);
    let mut counts = BTreeMap::new();
    for (_, item) in world.table(Table::DERIVED) {
        if item.get("pk") == Some(&partition) {
            let group = item.get("sk").and_then(AttributeValue::as_string)?;
            let count = whole(item.get(&target.count_attribute))?;
            if count != 0 {
                counts.insert(group.to_owned(), count);
            }
        }
    }
    Some(counts)
}

fn counts(deployment: &Deployment, world: &World) -> Option<String> {
    let Some(found) = found_counts(deployment, world) else {
        return Some("a count is no whole number".to_owned());
    };
    let mut expected = BTreeMap::new();
    for (key, item) in world.table(Table::DERIVED) {
        if key.partition.as_string().is_some_and(|it| it.starts_with("ledger#")) {
            match Entry::from_item(item) {
                Err(error) => return Some(error.to_string()),
                Ok(entry) => {
                    if let Some(group) = entry.standing.group() {
                        *expected.entry(group.to_string()).or_insert(0) += 1;
                    }
                }
            }
        }
    }
    if found.values().any(|count| *count < 0) {
        return Some(format!("a count is negative: {found:?}"));
    }
    (found != expected).then(|| format!("counts are {found:?}, and the ledger says {expected:?}"))
}

/// Whether the effect of a record, or of a newer one, is in the tables.
fn has_effect(deployment: &Deployment, world: &World, delivered: &Delivered) -> bool {
    match &delivered.record.key.table {
        it if *it == ALBUMS => has_counted(world, delivered),
        it if *it == MESSAGES => match &delivered.record.image {
            Ok(Some(image)) if deployment.latest_view.rows.selection.selects(image) => {
                has_registered(deployment, world, delivered, image)
            }
            Ok(Some(image)) => has_led(deployment, world, delivered, image),
            Ok(None) => true,
            Err(_) => false,
        },
        _ => true,
    }
}

/// The ledger has its version or a newer one, and it is parked where it is the newest and poisoned.
fn has_counted(world: &World, delivered: &Delivered) -> bool {
    let entry = delivered.ledger_key.as_ref().and_then(|key| world.item(key));
    let Some(Ok(entry)) = entry.map(Entry::from_item) else {
        return false;
    };
    let version = &delivered.record.version;
    let is_superseded = entry.version > *version;
    let is_parked = world.parked.contains(&delivered.identity);
    is_superseded || (entry.version == *version && is_parked == delivered.is_poisoned)
}

/// The head follows a later source item, or this one as it was then or later.
fn has_led(deployment: &Deployment, world: &World, delivered: &Delivered, image: &Item) -> bool {
    let view = &deployment.latest_view;
    let order = image.get(&view.sort_attribute).and_then(AttributeValue::as_string);
    let Some((group, order)) = view.group_of_source_item(image).zip(order) else {
        return true;
    };
    let head = world.item(&head_key(&view.name, group)).map(Head::from_item);
    let Some(Some(newest)) = head.and_then(Result::ok).map(|head| head.newest) else {
        return false;
    };
    let is_this_or_later = |it: &&Arc<Delivered>| {
        it.record.key == delivered.record.key && it.number >= delivered.number
    };
    let copies = world.stream.iter().filter(is_this_or_later);
    let mut copies = copies.filter_map(|it| it.record.image.as_ref().ok()?.as_ref());
    newest.order.as_str() > order
        || (newest.order == order && copies.any(|image| view.copied(image) == newest.copied))
}

/// The row is gone from where the record saw it, or a newer record tells of it, or the head of its
/// group registers it there.
fn has_registered(
    deployment: &Deployment,
    world: &World,
    delivered: &Delivered,
    image: &Item,
) -> bool {
    let view = &deployment.latest_view;
    let key = &delivered.record.key;
    let group = image.get(&view.rows.group_attribute).and_then(AttributeValue::as_string);
    let Some(group) = group else { return true };
    let stands = world.item(key).is_some_and(|row| view.is_row_of(group, row));
    let is_newest =
        !world.stream.iter().any(|it| it.record.key == *key && it.number > delivered.number);
    if !stands || !is_newest {
        return true;
    }
    let head = world.item(&head_key(&view.name, group)).map(Head::from_item);
    let places = head.and_then(Result::ok).map(|head| head.places).unwrap_or_default();
    let owner = key.partition.as_string();
    let sort = key.sort.as_ref().and_then(|sort| sort.as_string());
    let mut places = places.iter().filter(|place| Some(place.owner.as_str()) == owner);
    places.any(|place| place.sorts.iter().any(|it| Some(it.as_str()) == sort))
}

impl World {
    /// Ends a change of the world.
    pub(crate) fn seal(mut self, deployment: &Deployment) -> Arc<Self> {
        let items: Vec<_> = self.items.values().map(|stored| stored.identity).collect();
        let stream: Vec<_> = self.stream.iter().map(|delivered| delivered.identity).collect();
        let application = identity::of_text(&self.application);
        self.identity = identity::of(&(items, stream, application, &self.parked));
        self.judgement = judge(deployment, &self);
        Arc::new(self)
    }

    /// What of the derived state is not the fold of the ground state: nothing once drained.
    pub(crate) fn drift(&self, deployment: &Deployment) -> Option<String> {
        self.count_drift(deployment).or_else(|| self.row_drift(deployment)).or_else(|| {
            let is_poisoned = |it: &&Arc<Delivered>| it.is_poisoned;
            let poisoned = self.stream.iter().filter(is_poisoned);
            let known = poisoned.filter(|it| self.parked.contains(&it.identity)).count();
            (known != self.parked.len()).then(|| "a sound record is parked".to_owned())
        })
    }

    fn count_drift(&self, deployment: &Deployment) -> Option<String> {
        let view = &deployment.count_view;
        let items = self.table(view.definition.table.clone()).map(|(_, item)| item);
        let sound = items.filter(|item| contribution_of_item(view, item).is_ok());
        let expected = match fold::counts(view, sound) {
            Ok(expected) => expected,
            Err(error) => return Some(error.to_string()),
        };
        let found = found_counts(deployment, self);
        let found = found.map(|counts| {
            counts.into_iter().map(|(group, it)| (group, it.unsigned_abs())).collect()
        });
        (found.as_ref() != Some(&expected))
            .then(|| format!("counts are {found:?}, and the fold says {expected:?}"))
    }

    fn row_drift(&self, deployment: &Deployment) -> Option<String> {
        let view = &deployment.latest_view;
        let rows = self.table(view.definition.table.clone()).map(|(_, item)| item);
        let rows: Vec<_> = rows.filter(|item| view.rows.selection.selects(item)).collect();
        let told = self.told_groups(deployment);
        let is_told = |message: &&Item| {
            view.group_of_source_item(message).is_some_and(|group| told.contains(group))
        };
        let messages: Vec<_> = self.application.messages.values().filter(is_told).collect();
        let faults = fold::row_faults(view, messages.iter().copied(), rows.iter().copied());
        if !faults.is_empty() {
            return Some(format!("rows do not follow: {faults:?}"));
        }
        let led = view.fold(messages);
        let left_alone =
            self.application.rows.iter().filter(|((_, group), _)| !led.contains_key(group));
        let moved = left_alone.filter(|((owner, _), left)| {
            let key = view.row_key(&row_partition(owner), &left.put_at);
            self.item(&key).is_none()
        });
        moved.map(|((owner, group), _)| format!("{owner} in {group}: moved to nothing")).next()
    }

    /// Groups that the stream told anything of but deletions: a group that is older than the stream
    /// is adopted when it does.
    fn told_groups(&self, deployment: &Deployment) -> BTreeSet<&str> {
        let view = &deployment.latest_view;
        let images = self.stream.iter().filter_map(|it| it.record.image.as_ref().ok()?.as_ref());
        let group = |image| {
            let row = view.rows.selection.selects(image).then_some(&view.rows.group_attribute);
            let of_row = row.and_then(|name| image.get(name)?.as_string());
            of_row.or_else(|| view.group_of_source_item(image))
        };
        images.filter_map(group).collect()
    }
}
