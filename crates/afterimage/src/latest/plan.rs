//! The plan of a group: what its next transaction is, given all that was read.

mod commit;
mod draft;

use std::collections::{BTreeMap, BTreeSet};

use super::head::{Chunk, Head, OwnerPlace, chunk_key, head_key};
use super::state::{Again, GroupState};
use super::view::LatestView;
use crate::attribute_value::Item;
use crate::canary::{InnerCanary, is_planted};
use crate::engine::Read;
use crate::key::{ItemKey, KeyValue};
use crate::limits::SUGGESTED_ROWS_MAX;
use crate::owner_name::OwnerName;
use crate::write::Transaction;

/// What a group needs next.
pub(super) enum Plan {
    Read(Vec<Read>),
    Commit(Commit),
    Park(Unfit),
    /// The head cannot be read.
    Broken,
    /// Every row of the group follows the newest.
    Nothing,
}

/// A transaction, and what it means for the records.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub transaction: Transaction,
    /// Owners whose rows or places it changes.
    pub owners: Vec<OwnerName>,
    /// Whether it makes the source record the newest, or takes its version.
    pub takes_source: bool,
    /// What was left to do before it. Whatever others do not undo, the next commit finds less.
    pub left: usize,
}

/// Rows that cannot follow, and are parked beside the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unfit {
    /// The rows of this owner can never be written where they belong.
    Unwritable { owner: OwnerName, reason: String },
    /// The group has more rows than the view allows; these owners' stay as they were put.
    Beyond { owners: Vec<OwnerName> },
    /// This owner has more rows of the group than a head can register; what it does not stays as put.
    Crowded { owner: OwnerName },
    /// The index holds more items of the group than are looked at.
    Cut,
}

/// The head as it should be, before any row moves.
struct Draft {
    /// The head that was read.
    read: Option<Head>,
    head: Head,
    takes_source: bool,
    /// Whether the head has to be written whatever its rows need.
    is_changed: bool,
}

/// What an owner's rows need.
struct Work<'a> {
    /// The holder that registers the owner, 0 for the head; `None` where none does.
    holder: Option<usize>,
    registered: &'a [String],
    noticed: BTreeSet<String>,
}

/// What is needed before planning can go on: reads, or an end.
type Early = Plan;

pub(super) fn plan(state: &GroupState) -> Plan {
    Planner { state }.plan().unwrap_or_else(|early| early)
}

struct Planner<'a> {
    state: &'a GroupState,
}

impl<'a> Planner<'a> {
    fn plan(&self) -> Result<Plan, Early> {
        let read = self.head()?;
        if read.is_none() && self.state.source.is_none() && !self.is_any_hinted_row_there() {
            return Ok(Plan::Nothing);
        }
        let chunks = self.chunks(read.as_ref())?;
        self.first_sight(read.as_ref())?;
        let draft = self.draft(read)?;
        let holders: Vec<&[OwnerPlace]> = std::iter::once(draft.head.places.as_slice())
            .chain(chunks.iter().map(|chunk| chunk.places.as_slice()))
            .collect();
        self.read_again(&holders)?;
        let mut work = self.work(&draft, &holders);
        self.check_row_count(&holders, &mut work)?;
        self.commit(&draft, &chunks, &holders, work)
    }

    fn item(&self, key: &ItemKey) -> Option<&'a Option<Item>> {
        self.state.knowledge.items.get(key)
    }

    fn head(&self) -> Result<Option<Head>, Early> {
        let key = head_key(&self.state.view.name, &self.state.group);
        let hinted =
            self.state.hints.iter().map(|hint| self.state.view.row_key(&hint.owner, &hint.sort));
        let wanted = std::iter::once(key.clone()).chain(hinted);
        self.need_items(wanted)?;
        let item = self.item(&key).and_then(Option::as_ref);
        let mut head = item.map(Head::from_item).transpose().map_err(|_| Plan::Broken)?;
        if let Some(newest) = head.as_mut().and_then(|head| head.newest.as_mut()) {
            // An attribute that the definition copies no more is no difference between a row and the newest.
            newest.copied.retain(|name, _| self.state.view.copy.contains(name));
        }
        Ok(head)
    }

    fn need_items(&self, keys: impl Iterator<Item = ItemKey>) -> Result<(), Early> {
        let unread: BTreeSet<_> = keys.filter(|key| self.item(key).is_none()).collect();
        if unread.is_empty() {
            return Ok(());
        }
        Err(Plan::Read(unread.into_iter().map(Read::Item).collect()))
    }

    fn is_row_there(&self, owner: &str, sort: &str) -> bool {
        let item = self.item(&self.state.view.row_key(owner, sort)).and_then(Option::as_ref);
        item.is_some_and(|item| self.state.view.is_row_of(&self.state.group, item))
    }

    fn is_any_hinted_row_there(&self) -> bool {
        self.state.hints.iter().any(|hint| self.is_row_there(&hint.owner, &hint.sort))
    }

    fn chunks(&self, head: Option<&Head>) -> Result<Vec<Chunk>, Early> {
        let count = head.map_or(0, |head| head.chunk_count);
        let key = |number| chunk_key(&self.state.view.name, &self.state.group, number);
        self.need_items((1..=count).map(key))?;
        (1..=count)
            .map(|number| {
                let item = self.item(&key(number)).and_then(Option::as_ref).ok_or(Plan::Broken)?;
                Chunk::from_item(item).map_err(|_| Plan::Broken)
            })
            .collect()
    }

    /// What a head that is made, or was left half made, takes from the table and the index.
    fn first_sight(&self, head: Option<&Head>) -> Result<(), Early> {
        let (view, knowledge) = (&self.state.view, &self.state.knowledge);
        let mut reads = Vec::new();
        if head.is_none() && knowledge.last.is_none() {
            let partition = [view.strip_prefix.as_str(), &self.state.group].concat();
            reads.push(Read::Last {
                table: view.definition.table.clone(),
                partition: KeyValue::S(partition),
                sort_prefix: view.selection.prefix_of(&view.sort_attribute).to_owned(),
                before: knowledge.too_large.clone(),
            });
        }
        let is_adopted = head.is_some_and(|head| head.is_adopted);
        if (!is_adopted || self.is_unregistered_wanted()) && knowledge.suggested.is_none() {
            reads.push(Read::Suggested {
                table: view.definition.table.clone(),
                index: view.rows.index.clone(),
                partition: KeyValue::string(&self.state.group),
                limit: SUGGESTED_ROWS_MAX,
            });
        }
        if !reads.is_empty() {
            return Err(Plan::Read(reads));
        }
        let is_cut = knowledge.suggested.as_ref().is_some_and(|it| it.is_cut);
        if is_cut && !self.state.is_cut_parked { Err(Plan::Park(Unfit::Cut)) } else { Ok(()) }
    }

    /// Whether rows that no head registers are looked for again.
    fn is_unregistered_wanted(&self) -> bool {
        matches!(self.state.again, Some((_, Again::Unregistered)))
    }

    /// The place of the owner whose parked rows are looked at again.
    fn place_again<'h>(&self, holders: &[&'h [OwnerPlace]]) -> Option<(usize, &'h OwnerPlace)> {
        let Some((_, Again::Owner(owner))) = &self.state.again else {
            return None;
        };
        held(holders).find(|(_, place)| place.owner == *owner)
    }

    fn read_again(&self, holders: &[&[OwnerPlace]]) -> Result<(), Early> {
        let place = self.place_again(holders).into_iter();
        let keys = place.flat_map(|(_, place)| {
            place.sorts.iter().map(|sort| self.state.view.row_key(&place.owner, sort))
        });
        self.need_items(keys)
    }

    /// What every owner's rows need: those that lag, those that a record told of, and those that the
    /// index suggests and no read has denied.
    fn work<'h>(
        &self,
        draft: &Draft,
        holders: &[&'h [OwnerPlace]],
    ) -> BTreeMap<OwnerName, Work<'h>> {
        let mut places: BTreeMap<&str, (usize, &'h OwnerPlace)> = BTreeMap::new();
        let mut work: BTreeMap<OwnerName, Work<'h>> = BTreeMap::new();
        for (holder, place) in held(holders) {
            places.insert(&place.owner, (holder, place));
            if draft.head.newest.is_some() && place.carries < draft.head.newest_revision {
                work.insert(place.owner.clone(), Work::registered(holder, place));
            }
        }
        let hinted = self.state.hints.iter().map(|hint| (&hint.owner, &hint.sort)).filter(
            |(owner, sort)| {
                let place = places.get(owner.as_str()).map(|(_, place)| *place);
                self.is_row_there(owner, sort) && !self.is_settled(draft, place, sort)
            },
        );
        let suggested = self.state.knowledge.suggested.iter().flat_map(|it| &it.places);
        let suggested = suggested.map(|(owner, sort)| (owner, sort)).filter(|(owner, sort)| {
            let is_registered = places
                .get(owner.as_str())
                .is_some_and(|(_, place)| place.sorts.iter().any(|it| it == *sort));
            let is_wanted = !draft.head.is_adopted || self.is_unregistered_wanted();
            is_wanted && !is_registered && !self.is_row_denied(owner, sort)
        });
        let again = self.place_again(holders).into_iter().flat_map(|(_, place)| {
            let sorts = place.sorts.iter().filter(|sort| {
                self.is_row_there(&place.owner, sort) && !self.is_settled(draft, Some(place), sort)
            });
            sorts.map(|sort| (&place.owner, sort))
        });
        for (owner, sort) in hinted.chain(suggested).chain(again) {
            let place = places.get(owner.as_str()).copied();
            let is_beyond = place.is_none() && self.state.beyond_owners.contains(owner);
            if is_beyond || self.state.crowded_owners.contains(owner) {
                continue;
            }
            let work = work.entry(owner.clone()).or_insert_with(|| match place {
                Some((holder, place)) => Work::registered(holder, place),
                None => Work { holder: None, registered: &[], noticed: BTreeSet::new() },
            });
            work.noticed.insert(sort.clone());
        }
        work
    }

    /// Whether it was read that no row of the group stands at this key.
    fn is_row_denied(&self, owner: &str, sort: &str) -> bool {
        let key = self.state.view.row_key(owner, sort);
        self.item(&key).is_some() && !self.is_row_there(owner, sort)
    }

    /// Whether the row at this key, which stands, needs nothing: it is registered, and either follows
    /// the newest, or is parked because it cannot.
    fn is_settled(&self, draft: &Draft, place: Option<&OwnerPlace>, sort: &str) -> bool {
        if is_planted(InnerCanary::EchoNotRecognised) {
            return false;
        }
        let Some(place) = place.filter(|place| place.sorts.iter().any(|it| it == sort)) else {
            return false;
        };
        let Some(newest) = &draft.head.newest else {
            return true;
        };
        if place.carries < draft.head.newest_revision {
            return false;
        }
        if self.state.parked_owners.contains(&place.owner) {
            return true;
        }
        let item = self.item(&self.state.view.row_key(&place.owner, sort)).and_then(Option::as_ref);
        let follows = item.is_some_and(|item| self.state.view.copied(item) == newest.copied);
        let targets = LatestView::target_sorts(&self.state.group, &newest.order);
        follows && place.sorts.len() == 1 && targets.iter().any(|target| target == sort)
    }

    /// A group has at most so many rows. Where more would be registered, those that are gone make
    /// room first; what is beyond then is parked, and stays as it was put.
    fn check_row_count<'h>(
        &self,
        holders: &[&'h [OwnerPlace]],
        work: &mut BTreeMap<OwnerName, Work<'h>>,
    ) -> Result<(), Early> {
        let max = self.state.view.rows.max;
        let registered_count: usize = holders.iter().map(|places| places.len()).sum();
        let is_new = |work: &Work<'_>| work.holder.is_none();
        if registered_count + work.values().filter(|work| is_new(work)).count() <= max {
            return Ok(());
        }
        let noticed = work.iter().filter(|(_, work)| is_new(work)).flat_map(|(owner, work)| {
            work.noticed.iter().map(|sort| self.state.view.row_key(owner, sort))
        });
        let registered = held(holders).flat_map(|(_, place)| {
            place.sorts.iter().map(|sort| self.state.view.row_key(&place.owner, sort))
        });
        self.need_items(noticed.chain(registered))?;
        let stands = |owner: &str, sort: &String| self.is_row_there(owner, sort);
        let gone: Vec<_> = held(holders)
            .filter(|(_, place)| !place.sorts.iter().any(|sort| stands(&place.owner, sort)))
            .collect();
        work.retain(|owner, work| !is_new(work) || work.noticed.iter().any(|it| stands(owner, it)));
        let room = max.saturating_sub(registered_count - gone.len());
        let new = work.iter().filter(|(_, work)| is_new(work)).map(|(owner, _)| owner);
        let owners: Vec<_> = new.skip(room).cloned().collect();
        if !owners.is_empty() {
            return Err(Plan::Park(Unfit::Beyond { owners }));
        }
        for (holder, place) in gone {
            work.entry(place.owner.clone()).or_insert_with(|| Work::registered(holder, place));
        }
        Ok(())
    }
}

/// Every registered owner, with the number of the holder that registers it.
fn held<'h>(holders: &[&'h [OwnerPlace]]) -> impl Iterator<Item = (usize, &'h OwnerPlace)> {
    holders
        .iter()
        .enumerate()
        .flat_map(|(holder, places)| places.iter().map(move |it| (holder, it)))
}

/// How much is left to do: places to bring up to date, and the head.
fn left(draft: &Draft, work: &BTreeMap<OwnerName, Work<'_>>) -> usize {
    let places = work.values().map(|work| 1 + work.registered.len() + work.noticed.len());
    places.sum::<usize>() + usize::from(draft.is_changed) + usize::from(!draft.head.is_adopted)
}

impl<'h> Work<'h> {
    fn registered(holder: usize, place: &'h OwnerPlace) -> Self {
        Self { holder: Some(holder), registered: &place.sorts, noticed: BTreeSet::new() }
    }
}
