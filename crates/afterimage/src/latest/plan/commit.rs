//! The transaction: the head or a chunk, and as many of its owners' rows as fit beside it.

use std::collections::{BTreeMap, BTreeSet};

use super::{Commit, Draft, Early, Plan, Planner, Unfit, Work, left};
use crate::latest::head::{Chunk, Head, OwnerPlace, check, chunk_key, head_key, put};
use crate::latest::owner::{OwnerPlan, OwnerRows};
use crate::limits::{
    CHUNK_OWNERS_MAX, COPIED_BYTES_MAX, PLACE_BYTES_MAX, PLACES_BYTES_MAX, TRANSACTION_ACTIONS_MAX,
    TRANSACTION_BYTES_MAX,
};
use crate::owner_name::OwnerName;
use crate::write::{Transaction, Write};

/// Room that the head and a chunk need in a transaction.
const HOLDERS_BYTES: usize = 3 * COPIED_BYTES_MAX;

/// What one transaction does to owners.
#[derive(Default)]
struct Moves {
    writes: Vec<Write>,
    owners: Vec<OwnerName>,
    /// Owners that turned out to need nothing.
    idle: BTreeSet<OwnerName>,
}

impl Planner<'_> {
    /// The next transaction: the head, or a chunk beside it, and as many of its owners' rows as fit. One that would
    /// change neither the newest, nor a place, nor a row is not made.
    pub(super) fn commit(
        &self,
        draft: &Draft,
        chunks: &[Chunk],
        holders: &[&[OwnerPlace]],
        mut work: BTreeMap<OwnerName, Work<'_>>,
    ) -> Result<Plan, Early> {
        let left = left(draft, &work);
        loop {
            let free = holders.iter().position(|places| has_room(places));
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
            let mut places = holders.get(holder).map_or_else(Vec::new, |places| places.to_vec());
            let owned = work.iter().filter(|(_, work)| work.holder.unwrap_or(free) == holder);
            let moves = self.move_owners(draft, owned, &mut places)?;
            if moves.owners.is_empty() && !moves.idle.is_empty() && !draft.is_changed {
                work.retain(|owner, _| !moves.idle.contains(owner));
                continue;
            }
            let is_new =
                |owner: &&OwnerName| work.get(*owner).is_some_and(|it| it.holder.is_none());
            let mut head = draft.head.clone();
            head.is_adopted |= unregistered == moves.owners.iter().filter(is_new).count();
            let mut writes = self.holder_writes(draft, chunks, head, holder, places);
            writes.extend(moves.writes);
            return Ok(Plan::Commit(Commit {
                transaction: Transaction { writes },
                owners: moves.owners,
                takes_source: draft.takes_source,
                left,
            }));
        }
    }

    /// The moves of as many owners as fit one transaction; their places are brought up to date.
    fn move_owners<'w, 'h: 'w>(
        &self,
        draft: &Draft,
        owned: impl Iterator<Item = (&'w OwnerName, &'w Work<'h>)>,
        places: &mut Vec<OwnerPlace>,
    ) -> Result<Moves, Early> {
        let mut moves = Moves::default();
        let mut needs = Vec::new();
        let mut byte_count = HOLDERS_BYTES;
        for (owner, work) in owned.take(self.state.owner_count_max) {
            let (owner_writes, sorts, is_complete) = match self.owner_plan(draft, owner, work)? {
                OwnerPlan::Needs(keys) => {
                    needs.extend(keys);
                    continue;
                }
                OwnerPlan::Rows { writes, sorts, is_complete } => (writes, sorts, is_complete),
                OwnerPlan::Unwritable { sorts, .. } => (Vec::new(), sorts, true),
            };
            byte_count += owner_writes.iter().map(Write::byte_count).sum::<usize>();
            let is_full = moves.writes.len() + owner_writes.len() + 2 > TRANSACTION_ACTIONS_MAX
                || byte_count > TRANSACTION_BYTES_MAX
                || (work.holder.is_none() && !has_room(places));
            if is_full && !moves.owners.is_empty() {
                break;
            }
            let carries = if is_complete { draft.head.newest_revision } else { 0 };
            let place = OwnerPlace { owner: owner.clone(), sorts, carries };
            let is_absent = place.sorts.is_empty() && work.holder.is_none();
            if is_complete && owner_writes.is_empty() && (is_absent || places.contains(&place)) {
                moves.idle.insert(owner.clone());
                continue;
            }
            moves.writes.extend(owner_writes);
            if !work.noticed.is_empty() && is_crowded(places, &place) {
                return Err(Plan::Park(Unfit::Crowded { owner: owner.clone() }));
            }
            register(places, place);
            moves.owners.push(owner.clone());
        }
        if needs.is_empty() {
            Ok(moves)
        } else {
            self.need_items(needs.into_iter()).map(|()| moves)
        }
    }

    fn owner_plan(
        &self,
        draft: &Draft,
        owner: &OwnerName,
        work: &Work<'_>,
    ) -> Result<OwnerPlan, Early> {
        let rows = OwnerRows {
            view: &self.state.view,
            group: &self.state.group,
            owner,
            registered: work.registered,
            noticed: &work.noticed,
            newest: draft.head.newest.as_ref(),
        };
        let plan = if self.state.refused_owners.contains(owner) {
            rows.unwritable("DynamoDB refuses it as invalid")
        } else {
            rows.plan(&self.state.knowledge.items)
        };
        match plan {
            OwnerPlan::Unwritable { reason, .. } if !self.state.parked_owners.contains(owner) => {
                let owner = owner.clone();
                Err(Plan::Park(Unfit::Unwritable { owner, reason }))
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
        let (name, group) = (&self.state.view.name, &self.state.group);
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
            let chunk = Chunk { revision: chunk_read.unwrap_or(0) + 1, places };
            writes.push(put(&chunk_key, chunk.to_item(&chunk_key), chunk_read));
            head.chunk_count = head.chunk_count.max(number);
        }
        let is_head_written = holder == 0
            || is_new_chunk
            || draft.read.as_ref().is_none_or(|read| read.is_adopted != head.is_adopted);
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

/// Whether a holder may take another owner.
fn has_room(places: &[OwnerPlace]) -> bool {
    let byte_count: usize = places.iter().map(OwnerPlace::byte_count).sum();
    places.len() < CHUNK_OWNERS_MAX && byte_count <= PLACE_BYTES_MAX
}

/// Whether an owner's place is more than a holder can have, beside those of the other owners.
fn is_crowded(places: &[OwnerPlace], place: &OwnerPlace) -> bool {
    let others = places.iter().filter(|other| other.owner != place.owner);
    let byte_count = others.map(OwnerPlace::byte_count).sum::<usize>() + place.byte_count();
    place.byte_count() > PLACE_BYTES_MAX || byte_count > PLACES_BYTES_MAX
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
