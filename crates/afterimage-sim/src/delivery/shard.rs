//! Shards: whose keys they hold, and which come before which.

use afterimage_schema::Table;

use super::lane::Lane;

/// Halves of halves of a stream's keys, at most.
const SHARD_DEPTH_MAX: u32 = 3;

/// The shards of all streams, and the lanes that they are read in.
pub(super) struct Shards {
    shards: Vec<Shard>,
    /// As many for each shard as the parallelization factor says.
    pub(super) lanes: Vec<Lane>,
    lanes_per_shard: usize,
}

struct Shard {
    table: Table,
    parent: Option<usize>,
    is_open: bool,
    depth: u32,
    bits: u64,
}

impl Shard {
    fn holds(&self, table: &Table, key_hash: u64) -> bool {
        self.is_open && self.table == *table && key_hash & ((1 << self.depth) - 1) == self.bits
    }
}

impl Shards {
    /// One shard for each of these tables.
    pub(super) fn of<const COUNT: usize>(tables: [Table; COUNT], lanes_per_shard: usize) -> Self {
        let mut shards = Self { shards: Vec::new(), lanes: Vec::new(), lanes_per_shard };
        tables.into_iter().for_each(|table| shards.begin_again(&table));
        shards
    }

    /// The table's shards end, and a new one without a parent begins.
    pub(super) fn begin_again(&mut self, table: &Table) {
        let open = self.shards.iter_mut().filter(|shard| shard.table == *table);
        open.for_each(|shard| shard.is_open = false);
        self.add(Shard { table: table.clone(), parent: None, is_open: true, depth: 0, bits: 0 });
    }

    fn add(&mut self, shard: Shard) {
        let number = self.shards.len();
        self.shards.push(shard);
        self.lanes.extend((0..self.lanes_per_shard).map(|_| Lane::new(number)));
    }

    /// Puts a record into the lane of its key.
    pub(super) fn put(&mut self, place: usize, table: &Table, key_hash: u64) {
        let Some(shard) = self.shards.iter().position(|it| it.holds(table, key_hash)) else {
            return;
        };
        let share = usize::try_from(key_hash >> 40).unwrap_or(0).checked_rem(self.lanes_per_shard);
        let lane = shard * self.lanes_per_shard + share.unwrap_or(0);
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.push(place);
        }
    }

    /// Lanes with records, no invocation, and parents that are done.
    pub(super) fn ready_lanes(&self) -> Vec<usize> {
        let is_shard_done =
            |shard| self.lanes.iter().all(|lane| lane.shard != shard || lane.is_done());
        let is_ready = |lane: &Lane| {
            let parent = self.shards.get(lane.shard).and_then(|shard| shard.parent);
            lane.invocation.is_none() && !lane.is_done() && parent.is_none_or(is_shard_done)
        };
        let lanes = self.lanes.iter().enumerate();
        lanes.filter(|(_, lane)| is_ready(lane)).map(|(number, _)| number).collect()
    }

    /// Splits an open shard: what follows is in its two children.
    pub(super) fn split(&mut self, pick: usize) {
        let mut open: Vec<_> = self
            .shards
            .iter_mut()
            .enumerate()
            .filter(|(_, shard)| shard.is_open && shard.depth < SHARD_DEPTH_MAX)
            .collect();
        let picked = pick.checked_rem(open.len()).and_then(|pick| open.get_mut(pick));
        let Some((number, shard)) = picked else { return };
        shard.is_open = false;
        let (table, depth, bits, parent) =
            (shard.table.clone(), shard.depth, shard.bits, Some(*number));
        for bit in [0, 1 << depth] {
            let bits = bits | bit;
            self.add(Shard { table: table.clone(), parent, is_open: true, depth: depth + 1, bits });
        }
    }
}
