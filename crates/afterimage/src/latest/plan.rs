//! The plan of a group: what its next transaction is, given all that was read.

use std::collections::{BTreeMap, BTreeSet};

use super::LatestView;
use super::head::{Chunk, Head, Newest, OwnerPlace, check, chunk_key, head_key, put};
use super::owner::{OwnerPlan, OwnerRows};
use super::task::GroupTask;
use crate::attribute_value::Item;
use crate::key::{ItemKey, KeyValue};
use crate::limits::{
    CHUNK_OWNERS_MAX, COPIED_BYTES_MAX, TRANSACTION_ACTIONS_MAX, TRANSACTION_BYTES_MAX,
};
use crate::view::Read;
use crate::write::{Transaction, Write};

/// Room that the head and a chunk need in a transaction.
const HOLDERS_BYTES: usize = 3 * COPIED_BYTES_MAX;

/// What a group needs next.
pub(super) enum Plan {
    Read(Vec<Read>),
    Commit(Commit),
    /// The row of an owner can never be written where it belongs.
    Park {
        owner: String,
        reason: String,
    },
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
    pub owners: Vec<String>,
    /// Whether it makes the source record the newest, or takes its version.
    pub takes_source: bool,
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

pub(super) fn plan(task: &GroupTask) -> Plan {
    Planner { task }.plan().unwrap_or_else(|early| early)
}

struct Planner<'a> {
    task: &'a GroupTask,
}

impl<'a> Planner<'a> {
    fn plan(&self) -> Result<Plan, Early> {
        let read = self.head()?;
        if read.is_none() && self.task.source.is_none() && !self.is_any_hinted_row_there() {
            return Ok(Plan::Nothing);
        }
        let chunks = self.chunks(read.as_ref())?;
        self.first_sight(read.as_ref())?;
        let draft = self.draft(read)?;
        let holders: Vec<&[OwnerPlace]> = std::iter::once(draft.head.places.as_slice())
            .chain(chunks.iter().map(|chunk| chunk.places.as_slice()))
            .collect();
        let work = self.work(&draft, &holders)?;
        self.check_row_count(&holders, &work)?;
        self.commit(&draft, &chunks, &holders, work)
    }

    fn item(&self, key: &ItemKey) -> Option<&'a Option<Item>> {
        self.task.knowledge.items.get(key)
    }

    fn head(&self) -> Result<Option<Head>, Early> {
        let key = head_key(&self.task.view.name, &self.task.group);
        let hinted = self
            .task
            .hints
            .iter()
            .map(|hint| self.task.view.row_key(&hint.owner, &hint.sort));
        let wanted = std::iter::once(key.clone()).chain(hinted);
        self.need_items(wanted)?;
        let item = self.item(&key).and_then(Option::as_ref);
        item.map(Head::from_item)
            .transpose()
            .map_err(|_| Plan::Broken)
    }

    fn need_items(&self, keys: impl Iterator<Item = ItemKey>) -> Result<(), Early> {
        let unread: BTreeSet<_> = keys.filter(|key| self.item(key).is_none()).collect();
        if unread.is_empty() {
            return Ok(());
        }
        Err(Plan::Read(unread.into_iter().map(Read::Item).collect()))
    }

    fn is_row_there(&self, owner: &str, sort: &str) -> bool {
        let item = self
            .item(&self.task.view.row_key(owner, sort))
            .and_then(Option::as_ref);
        item.is_some_and(|item| self.task.view.is_row_of(&self.task.group, item))
    }

    fn is_any_hinted_row_there(&self) -> bool {
        self.task
            .hints
            .iter()
            .any(|hint| self.is_row_there(&hint.owner, &hint.sort))
    }

    fn chunks(&self, head: Option<&Head>) -> Result<Vec<Chunk>, Early> {
        let count = head.map_or(0, |head| head.chunk_count);
        let key = |number| chunk_key(&self.task.view.name, &self.task.group, number);
        self.need_items((1..=count).map(key))?;
        (1..=count)
            .map(|number| {
                let item = self
                    .item(&key(number))
                    .and_then(Option::as_ref)
                    .ok_or(Plan::Broken)?;
                Chunk::from_item(item).map_err(|_| Plan::Broken)
            })
            .collect()
    }

    /// What a head that is made, or was left half made, takes from the table and the index.
    fn first_sight(&self, head: Option<&Head>) -> Result<(), Early> {
        let view = &self.task.view;
        let mut reads = Vec::new();
        if head.is_none() && self.task.knowledge.last.is_none() {
            let partition = [view.strip_prefix.as_str(), &self.task.group].concat();
            reads.push(Read::Last {
                table: view.source,
                partition: KeyValue::S(partition),
                sort_prefix: view.selection.prefix_of(&view.sort_attribute).to_owned(),
            });
        }
        let is_adopted = head.is_some_and(|head| head.is_adopted);
        match &self.task.knowledge.suggested {
            None if !is_adopted => reads.push(Read::Suggested {
                table: view.source,
                index: view.rows.index.clone(),
                partition: KeyValue::string(&self.task.group),
                limit: view.rows.max + 1,
            }),
            Some(suggested) if !is_adopted => {
                self.need_items(
                    suggested
                        .iter()
                        .map(|(owner, sort)| view.row_key(owner, sort)),
                )?;
            }
            _ => {}
        }
        if reads.is_empty() {
            Ok(())
        } else {
            Err(Plan::Read(reads))
        }
    }

    /// The newest source item that the table itself holds, where the head is new.
    fn newest_in_table(&self) -> Option<Newest> {
        let view = &self.task.view;
        let item = self.task.knowledge.last.as_ref()?.as_ref()?;
        let group = view.group_of_source_item(item)?;
        let order = item.get(&view.sort_attribute)?.as_string()?;
        (group == self.task.group).then(|| Newest {
            order: order.to_owned(),
            version: None,
            copied: view.copied(item),
        })
    }

    fn draft(&self, read: Option<Head>) -> Result<Draft, Early> {
        let mut head = match &read {
            Some(head) => head.clone(),
            None => Head {
                newest: self.newest_in_table(),
                newest_revision: 1,
                ..Head::default()
            },
        };
        let mut draft_is_changed = read.is_none();
        let takes_source = self.is_source_newer(head.newest.as_ref());
        if let Some(source) = self.task.source.as_ref().filter(|_| takes_source) {
            let newest = Newest {
                order: source.order.clone(),
                version: Some(source.version.clone()),
                copied: self.copied_now(head.newest.as_ref())?,
            };
            let is_moved = head.newest.as_ref().is_none_or(|before| {
                before.order != newest.order || before.copied != newest.copied
            });
            if is_moved {
                head.newest_revision = head.revision + 1;
            }
            head.newest = Some(newest);
            draft_is_changed = true;
        }
        Ok(Draft {
            read,
            head,
            takes_source,
            is_changed: draft_is_changed,
        })
    }

    fn is_source_newer(&self, newest: Option<&Newest>) -> bool {
        let Some(source) = &self.task.source else {
            return false;
        };
        let Some(newest) = newest else { return true };
        match source.order.cmp(&newest.order) {
            std::cmp::Ordering::Greater => true,
            std::cmp::Ordering::Less => false,
            std::cmp::Ordering::Equal => newest
                .version
                .as_ref()
                .is_none_or(|version| source.version > *version),
        }
    }

    /// The source record's copied attributes; but where the newest was found in the table, whose
    /// state may be later than the record, those that the table holds now.
    fn copied_now(&self, newest: Option<&Newest>) -> Result<Item, Early> {
        let Some(source) = &self.task.source else {
            return Ok(Item::new());
        };
        let is_found = newest.is_some_and(|it| it.version.is_none() && it.order == source.order);
        if !is_found {
            return Ok(source.copied.clone());
        }
        self.need_items(std::iter::once(source.key.clone()))?;
        let item = self.item(&source.key).and_then(Option::as_ref);
        Ok(item.map_or_else(|| source.copied.clone(), |item| self.task.view.copied(item)))
    }

    fn work<'h>(
        &self,
        draft: &Draft,
        holders: &[&'h [OwnerPlace]],
    ) -> Result<BTreeMap<String, Work<'h>>, Early> {
        let mut places: BTreeMap<&str, (usize, &'h OwnerPlace)> = BTreeMap::new();
        let mut work: BTreeMap<String, Work<'h>> = BTreeMap::new();
        for (holder, place) in holders
            .iter()
            .enumerate()
            .flat_map(|(holder, it)| it.iter().map(move |it| (holder, it)))
        {
            places.insert(&place.owner, (holder, place));
            if draft.head.newest.is_some() && place.carries < draft.head.newest_revision {
                work.insert(place.owner.clone(), Work::registered(holder, place));
            }
        }
        let hinted = self.task.hints.iter().map(|hint| (&hint.owner, &hint.sort));
        let suggested = self.task.knowledge.suggested.iter().flatten();
        let suggested = suggested
            .filter(|_| !draft.head.is_adopted)
            .map(|(owner, sort)| (owner, sort));
        for (owner, sort) in hinted.chain(suggested) {
            let place = places.get(owner.as_str()).copied();
            if !self.is_row_there(owner, sort) || self.is_settled(draft, place.map(|it| it.1), sort)
            {
                continue;
            }
            let work = work.entry(owner.clone()).or_insert_with(|| match place {
                Some((holder, place)) => Work::registered(holder, place),
                None => Work {
                    holder: None,
                    registered: &[],
                    noticed: BTreeSet::new(),
                },
            });
            work.noticed.insert(sort.clone());
        }
        Ok(work)
    }

    /// Whether the row at this key, which stands, needs nothing: it is registered, and either follows
    /// the newest, or is parked because it cannot.
    fn is_settled(&self, draft: &Draft, place: Option<&OwnerPlace>, sort: &str) -> bool {
        let Some(place) = place.filter(|place| place.sorts.iter().any(|it| it == sort)) else {
            return false;
        };
        let Some(newest) = &draft.head.newest else {
            return true;
        };
        if place.carries < draft.head.newest_revision {
            return false;
        }
        if self.task.parked_owners.contains(&place.owner) {
            return true;
        }
        let item = self
            .item(&self.task.view.row_key(&place.owner, sort))
            .and_then(Option::as_ref);
        let follows = item.is_some_and(|item| self.task.view.copied(item) == newest.copied);
        let targets = LatestView::target_sorts(&self.task.group, &newest.order);
        follows && place.sorts.len() == 1 && targets.iter().any(|target| target == sort)
    }

    /// A group has at most so many rows; one beyond is parked, and stays as it was put.
    fn check_row_count(
        &self,
        holders: &[&[OwnerPlace]],
        work: &BTreeMap<String, Work<'_>>,
    ) -> Result<(), Early> {
        let max = self.task.view.rows.max;
        let registered: usize = holders.iter().map(|places| places.len()).sum();
        let mut unregistered = work
            .iter()
            .filter(|(owner, work)| {
                work.holder.is_none() && !self.task.parked_owners.contains(*owner)
            })
            .map(|(owner, _)| owner);
        match unregistered.nth(max.saturating_sub(registered)) {
            None => Ok(()),
            Some(owner) => Err(Plan::Park {
                owner: owner.clone(),
                reason: format!("the group has {max} rows already, the most that the view allows"),
            }),
        }
    }

    /// The next transaction: the head, or a chunk beside it, and as many of its owners' rows as fit.
    fn commit(
        &self,
        draft: &Draft,
        chunks: &[Chunk],
        holders: &[&[OwnerPlace]],
        mut work: BTreeMap<String, Work<'_>>,
    ) -> Result<Plan, Early> {
        work.retain(|owner, work| {
            work.holder.is_some() || !self.is_beyond_row_count(owner, holders)
        });
        let free = holders
            .iter()
            .position(|places| places.len() < CHUNK_OWNERS_MAX);
        let free = free.unwrap_or(holders.len());
        let first = work.values().map(|work| work.holder.unwrap_or(free)).min();
        let unregistered = work.values().filter(|work| work.holder.is_none()).count();
        let adopts = !draft.head.is_adopted && unregistered == 0;
        let holder = match first {
            _ if draft.is_changed => 0,
            Some(holder) => holder,
            None if adopts => 0,
            None => return Ok(Plan::Nothing),
        };
        let mut places = holders
            .get(holder)
            .map_or_else(Vec::new, |places| places.to_vec());
        let owned = work
            .iter()
            .filter(|(_, work)| work.holder.unwrap_or(free) == holder);
        let (writes, owners) = self.move_owners(draft, owned, &mut places)?;
        let registered = owners
            .iter()
            .filter(|it| work.get(*it).is_some_and(|it| it.holder.is_none()));
        let left = unregistered - registered.count();
        let mut head = draft.head.clone();
        head.is_adopted |= left == 0;
        let mut transaction = Transaction {
            writes: self.holder_writes(draft, chunks, head, holder, places),
        };
        transaction.writes.extend(writes);
        Ok(Plan::Commit(Commit {
            transaction,
            owners,
            takes_source: draft.takes_source,
        }))
    }

    fn is_beyond_row_count(&self, owner: &str, holders: &[&[OwnerPlace]]) -> bool {
        let registered: usize = holders.iter().map(|places| places.len()).sum();
        self.task.parked_owners.contains(owner) && registered >= self.task.view.rows.max
    }

    /// The writes of as many owners as fit one transaction; their places are brought up to date.
    fn move_owners<'w, 'h: 'w>(
        &self,
        draft: &Draft,
        owned: impl Iterator<Item = (&'w String, &'w Work<'h>)>,
        places: &mut Vec<OwnerPlace>,
    ) -> Result<(Vec<Write>, Vec<String>), Early> {
        let mut writes = Vec::new();
        let mut owners = Vec::new();
        let mut needs = Vec::new();
        let mut byte_count = HOLDERS_BYTES;
        for (owner, work) in owned.take(self.task.owner_count_max) {
            let (owner_writes, sorts, is_complete) = match self.owner_plan(draft, owner, work)? {
                OwnerPlan::Needs(keys) => {
                    needs.extend(keys);
                    continue;
                }
                OwnerPlan::Rows {
                    writes,
                    sorts,
                    is_complete,
                } => (writes, sorts, is_complete),
                OwnerPlan::Unwritable { sorts, .. } => (Vec::new(), sorts, true),
            };
            byte_count += owner_writes.iter().map(Write::byte_count).sum::<usize>();
            let is_full = writes.len() + owner_writes.len() + 2 > TRANSACTION_ACTIONS_MAX
                || byte_count > TRANSACTION_BYTES_MAX
                || (work.holder.is_none() && places.len() >= CHUNK_OWNERS_MAX);
            if is_full && !owners.is_empty() {
                break;
            }
            writes.extend(owner_writes);
            let carries = if is_complete {
                draft.head.newest_revision
            } else {
                0
            };
            register(
                places,
                OwnerPlace {
                    owner: owner.clone(),
                    sorts,
                    carries,
                },
            );
            owners.push(owner.clone());
        }
        if needs.is_empty() {
            Ok((writes, owners))
        } else {
            self.need_items(needs.into_iter())
                .map(|()| (writes, owners))
        }
    }

    fn owner_plan(&self, draft: &Draft, owner: &str, work: &Work<'_>) -> Result<OwnerPlan, Early> {
        let rows = OwnerRows {
            view: &self.task.view,
            group: &self.task.group,
            owner,
            registered: work.registered,
            noticed: &work.noticed,
            newest: draft.head.newest.as_ref(),
        };
        let plan = if self.task.refused_owners.contains(owner) {
            rows.unwritable("DynamoDB refuses it as invalid")
        } else {
            rows.plan(&self.task.knowledge.items)
        };
        match plan {
            OwnerPlan::Unwritable { reason, .. } if !self.task.parked_owners.contains(owner) => {
                Err(Plan::Park {
                    owner: owner.to_owned(),
                    reason,
                })
            }
            plan => Ok(plan),
        }
    }

    /// The write of the holder, and of the head or a check of it where the holder is a chunk.
    fn holder_writes(
        &self,
        draft: &Draft,
        chunks: &[Chunk],
        mut head: Head,
        holder: usize,
        places: Vec<OwnerPlace>,
    ) -> Vec<Write> {
        let (name, group) = (&self.task.view.name, &self.task.group);
        let key = head_key(name, group);
        let read_revision = draft.read.as_ref().map(|head| head.revision);
        let number = holder as u64;
        let is_new_chunk = number > head.chunk_count;
        let mut writes = Vec::new();
        if holder == 0 {
            head.places = places;
        } else {
            let chunk_key = chunk_key(name, group, number);
            let chunk_read = chunks.get(holder - 1).map(|chunk| chunk.revision);
            let chunk = Chunk {
                revision: chunk_read.unwrap_or(0) + 1,
                places,
            };
            writes.push(put(&chunk_key, chunk.to_item(&chunk_key), chunk_read));
            head.chunk_count = head.chunk_count.max(number);
        }
        let is_head_written = holder == 0
            || is_new_chunk
            || draft
                .read
                .as_ref()
                .is_none_or(|read| read.is_adopted != head.is_adopted);
        head.revision += 1;
        let head_write = if is_head_written {
            put(&key, head.to_item(&key), read_revision)
        } else {
            check(&key, read_revision)
        };
        writes.insert(0, head_write);
        writes
    }
}

impl<'h> Work<'h> {
    fn registered(holder: usize, place: &'h OwnerPlace) -> Self {
        Self {
            holder: Some(holder),
            registered: &place.sorts,
            noticed: BTreeSet::new(),
        }
    }
}

/// Brings an owner's place up to date; an owner without rows is dropped.
fn register(places: &mut Vec<OwnerPlace>, place: OwnerPlace) {
    let known = places.iter().position(|it| it.owner == place.owner);
    match (known, place.sorts.is_empty()) {
        (Some(index), false) => {
            if let Some(slot) = places.get_mut(index) {
                *slot = place;
            }
        }
        (Some(index), true) => {
            places.remove(index);
        }
        (None, false) => places.push(place),
        (None, true) => {}
    }
}
