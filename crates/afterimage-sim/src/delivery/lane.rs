//! Lanes: what one invocation at a time takes its batches from.

/// The records of one shard whose keys fall into one share of it, in the order of the stream.
#[derive(Debug)]
pub(super) struct Lane {
    /// The shard that it belongs to.
    pub(super) shard: usize,
    /// Records from the trim horizon on.
    records: Vec<usize>,
    /// How many of them are acknowledged.
    done: usize,
    /// The size of the next batch, where the last one is tried in halves.
    bisected: Option<usize>,
    /// The invocation that is under way.
    pub(super) invocation: Option<usize>,
}

impl Lane {
    pub(super) fn new(shard: usize) -> Self {
        Self { shard, records: Vec::new(), done: 0, bisected: None, invocation: None }
    }

    pub(super) fn push(&mut self, record: usize) {
        self.records.push(record);
    }

    pub(super) fn is_done(&self) -> bool {
        self.done == self.records.len()
    }

    /// The next batch, of so many records at most.
    pub(super) fn batch(&self, size: usize) -> Vec<usize> {
        let size = self.bisected.map_or(size, |half| size.min(half));
        self.records.iter().skip(self.done).take(size.max(1)).copied().collect()
    }

    /// The first so many records of the last batch are acknowledged; the rest comes again, in halves
    /// where the mapping bisects.
    pub(super) fn acknowledge(&mut self, count: usize, batch_size: usize, bisects: bool) {
        self.done = (self.done + count).min(self.records.len());
        let left = batch_size.saturating_sub(count);
        self.bisected = (bisects && left > 1).then(|| left.div_ceil(2));
    }

    /// Everything from the trim horizon on is delivered again.
    pub(super) fn rewind(&mut self) {
        self.done = 0;
        self.bisected = None;
    }
}
