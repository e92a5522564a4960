//! Lanes: with a parallelization factor above 1, batches of one shard are under way at once, and the
//! records of one item keep their order.

use std::hash::{DefaultHasher, Hash, Hasher};

/// The lane of an item, of `lane_count` lanes: always the same one.
pub(super) fn lane_of(item_key: &str, lane_count: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    item_key.hash(&mut hasher);
    let lane_count = lane_count.max(1) as u64;
    // The remainder is below the number of lanes, which is a usize.
    (hasher.finish() % lane_count) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_keeps_its_lane_and_items_spread() {
        let lanes: Vec<usize> = (0..100).map(|item| lane_of(&item.to_string(), 4)).collect();
        let again: Vec<usize> = (0..100).map(|item| lane_of(&item.to_string(), 4)).collect();
        assert_eq!(lanes, again);
        assert!((0..4).all(|lane| lanes.contains(&lane)));
        assert!((0..100).all(|item| lane_of(&item.to_string(), 1) == 0));
    }
}
