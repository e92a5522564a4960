//! Packing: which ledger changes share a transaction.
//!
//! A ledger write costs the same wherever it stands; a count that two transactions touch costs
//! twice. So changes with the same counts stay together, and a group is split over transactions
//! only where one cannot hold it.

use crate::group_name::GroupName;
use std::collections::{BTreeMap, BTreeSet};

/// A change to be packed: its place in the caller's list, and the groups whose counts it touches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Packable {
    pub change: usize,
    pub groups: BTreeSet<GroupName>,
}

/// Changes that share a transaction, and the groups that it touches.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pack {
    pub changes: Vec<usize>,
    pub groups: BTreeSet<GroupName>,
}

impl From<Packable> for Pack {
    fn from(packable: Packable) -> Self {
        Self { changes: vec![packable.change], groups: packable.groups }
    }
}

impl Pack {
    pub(super) fn action_count(&self) -> usize {
        self.changes.len() + self.groups.len()
    }

    fn added_group_count(&self, groups: &BTreeSet<GroupName>) -> usize {
        groups.difference(&self.groups).count()
    }

    fn add(&mut self, changes: &[usize], groups: &BTreeSet<GroupName>) {
        self.changes.extend_from_slice(changes);
        self.groups.extend(groups.iter().cloned());
    }
}

/// Packs changes into transactions of at most `action_count_max` actions: one for each change, and
/// one for each group touched. `action_count_max` is at least 3, so that any change fits.
pub(super) fn pack(packables: Vec<Packable>, action_count_max: usize) -> Vec<Pack> {
    let mut clusters: BTreeMap<BTreeSet<GroupName>, Vec<usize>> = BTreeMap::new();
    for packable in packables {
        clusters.entry(packable.groups).or_default().push(packable.change);
    }
    let mut clusters: Vec<_> = clusters.into_iter().collect();
    clusters.sort_by_key(|(_, changes)| std::cmp::Reverse(changes.len()));
    let mut packs: Vec<Pack> = Vec::new();
    for (groups, changes) in clusters {
        let room = action_count_max.saturating_sub(groups.len()).max(1);
        for part in changes.chunks(room) {
            match best_pack(&mut packs, part.len(), &groups, action_count_max) {
                Some(pack) => pack.add(part, &groups),
                None => {
                    packs.push(Pack { changes: part.to_vec(), groups: groups.clone() });
                }
            }
        }
    }
    packs
}

/// The pack that takes these changes with the fewest further groups, and then the least room left.
fn best_pack<'a>(
    packs: &'a mut [Pack],
    change_count: usize,
    groups: &BTreeSet<GroupName>,
    action_count_max: usize,
) -> Option<&'a mut Pack> {
    packs
        .iter_mut()
        .filter(|pack| {
            pack.action_count() + change_count + pack.added_group_count(groups) <= action_count_max
        })
        .min_by_key(|pack| (pack.added_group_count(groups), action_count_max - pack.action_count()))
}

/// The first packs of which no two touch the same group: they can be committed at once.
pub(super) fn disjoint(packs: Vec<Pack>) -> Vec<Pack> {
    let mut touched = BTreeSet::new();
    packs
        .into_iter()
        .filter(|pack| {
            let is_free = pack.groups.is_disjoint(&touched);
            if is_free {
                touched.extend(pack.groups.iter().cloned());
            }
            is_free
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    fn packables(groups: &[(&str, usize)]) -> Vec<Packable> {
        let names = groups.iter().flat_map(|(name, count)| std::iter::repeat_n(*name, *count));
        names
            .enumerate()
            .map(|(change, name)| Packable {
                change,
                groups: [name.parse().expect("a group")].into(),
            })
            .collect()
    }

    /// Checks how many actions the packs have in all, and in how many packs.
    #[track_caller]
    fn check(groups: &[(&str, usize)], expected: (usize, usize)) {
        let packs = pack(packables(groups), 100);
        let found: usize = packs.iter().map(Pack::action_count).sum();
        assert_eq!((found, packs.len()), expected);
    }

    #[test]
    fn a_group_is_split_only_where_one_transaction_cannot_hold_it() {
        check(&[], (0, 0));
        check(&[("a", 1)], (2, 1));
        check(&[("a", 99)], (100, 1));
        check(&[("a", 100)], (102, 2));
        check(&[("a", 249), ("b", 40), ("c", 5)], (249 + 3 + 40 + 1 + 5 + 1, 3));
        check(&[("a", 50), ("b", 49)], (101, 2));
    }

    #[test]
    fn packs_at_once_share_no_group() {
        let packs = pack(packables(&[("a", 249), ("b", 1)]), 100);
        assert_eq!(packs.len(), 3);
        assert_eq!(disjoint(packs).len(), 1);
    }

    proptest! {
        #[test]
        fn every_change_is_packed_once_and_within_the_limit(
            groups in vec(btree_set("[a-e]", 0..3), 0..60),
            action_count_max in 3_usize..12,
        ) {
            let packables: Vec<_> = groups
                .into_iter()
                .enumerate()
                .map(|(change, groups)| {
                    let groups = groups.iter().map(|it| it.parse().expect("a group"));
                    Packable { change, groups: groups.collect() }
                })
                .collect();
            let packs = pack(packables.clone(), action_count_max);
            prop_assert!(packs.iter().all(|pack| pack.action_count() <= action_count_max));
            let mut changes: Vec<_> = packs.iter().flat_map(|pack| pack.changes.clone()).collect();
            changes.sort_unstable();
            prop_assert_eq!(changes, (0..packables.len()).collect::<Vec<_>>());
            for pack in &packs {
                let touched: BTreeSet<GroupName> =
                    pack.changes.iter().flat_map(|it| packables[*it].groups.clone()).collect();
                prop_assert_eq!(&touched, &pack.groups);
            }
        }
    }
}
