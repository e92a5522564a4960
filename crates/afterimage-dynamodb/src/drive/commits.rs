//! Commits of one task: as many at once as touch no item together.

use std::collections::{HashMap, HashSet};

use afterimage::ItemKey;
use afterimage::view::{Committed, Refusal};
use afterimage::write::Transaction;
use futures::stream::{FuturesUnordered, StreamExt as _};

use crate::store::{Session, StoreError};

/// Transactions of one task under way at once.
const CONCURRENT_COMMITS: usize = 8;

/// Commits the transactions, and says how each ended. Those that touch the same item go one after
/// another, since DynamoDB would refuse them to each other. Where one meets contention, those that wait
/// for its items count as contended too, and are not sent.
///
/// An error ends the sending. What was sent before is waited for, so that its outcome is not lost.
pub(super) async fn commit_all(
    session: &Session<'_>,
    transactions: &[Transaction],
) -> (Vec<Committed>, Result<(), StoreError>) {
    let mut queue = Queue::of(transactions);
    let mut results = vec![Err(Refusal::Contended); transactions.len()];
    let mut end = Ok(());
    let mut under_way = FuturesUnordered::new();
    loop {
        while under_way.len() < CONCURRENT_COMMITS
            && let Some((place, transaction)) = queue.start()
        {
            under_way.push(async move { (place, session.commit(transaction).await) });
        }
        let Some((place, result)) = under_way.next().await else {
            return (results, end);
        };
        queue.end(place, matches!(result, Ok(Err(Refusal::Contended))));
        let committed = result.unwrap_or_else(|error| {
            queue.waiting.clear();
            if end.is_ok() {
                end = Err(error);
            }
            Err(Refusal::Unknown)
        });
        if let Some(result) = results.get_mut(place) {
            *result = committed;
        }
    }
}

/// The transactions that wait for their turn.
struct Queue<'a> {
    transactions: &'a [Transaction],
    waiting: Vec<usize>,
    /// For each transaction, the items that others touch too.
    shared: Vec<Vec<&'a ItemKey>>,
    /// The shared items of those under way.
    touched: HashSet<&'a ItemKey>,
}

impl<'a> Queue<'a> {
    fn of(transactions: &'a [Transaction]) -> Self {
        let keys = |it: &'a Transaction| it.writes.iter().map(|write| &write.key);
        let mut counts: HashMap<&ItemKey, usize> = HashMap::new();
        for key in transactions.iter().flat_map(keys) {
            *counts.entry(key).or_default() += 1;
        }
        let is_shared = |key: &&ItemKey| counts.get(key).is_some_and(|count| *count > 1);
        Self {
            transactions,
            waiting: (0..transactions.len()).collect(),
            shared: transactions.iter().map(|it| keys(it).filter(is_shared).collect()).collect(),
            touched: HashSet::new(),
        }
    }

    /// The shared items of a transaction.
    fn items(&self, place: usize) -> &[&'a ItemKey] {
        self.shared.get(place).map_or(&[], Vec::as_slice)
    }

    /// The first that waits and touches no item of another one; it is under way from now on.
    fn start(&mut self) -> Option<(usize, &'a Transaction)> {
        let is_free =
            |place: &usize| self.items(*place).iter().all(|key| !self.touched.contains(key));
        let turn = self.waiting.iter().position(is_free)?;
        let place = self.waiting.remove(turn);
        let items = self.items(place).to_vec();
        self.touched.extend(items);
        Some((place, self.transactions.get(place)?))
    }

    fn end(&mut self, place: usize, is_contended: bool) {
        let items: HashSet<_> = self.items(place).iter().copied().collect();
        self.touched.retain(|key| !items.contains(key));
        if is_contended {
            let shared = &self.shared;
            let touches = |place: &usize| {
                shared.get(*place).is_some_and(|it| it.iter().any(|key| items.contains(key)))
            };
            self.waiting.retain(|place| !touches(place));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use afterimage::write::{Action, Write};
    use afterimage_schema::Table;
    use proptest::collection::{btree_set, vec};
    use proptest::prelude::*;

    use super::*;

    /// A transaction that touches an item of its own, and these.
    fn transaction((number, items): (usize, &BTreeSet<u8>)) -> Transaction {
        let names = items.iter().map(|item| format!("shared {item}"));
        let writes = std::iter::once(format!("own {number}")).chain(names).map(|name| Write {
            key: ItemKey::strings(Table::Derived, name, "count".to_owned()),
            action: Action::Check,
            conditions: Vec::new(),
            read_byte_count: 0,
        });
        Transaction { writes: writes.collect() }
    }

    fn start_all(queue: &mut Queue<'_>) -> Vec<usize> {
        std::iter::from_fn(|| queue.start().map(|(place, _)| place)).collect()
    }

    #[test]
    fn what_touches_an_item_waits_for_it_and_nothing_else_does() {
        let items = [[1].into(), [1, 2].into(), [2].into(), BTreeSet::new()];
        let transactions: Vec<_> = items.iter().enumerate().map(transaction).collect();
        let mut queue = Queue::of(&transactions);
        assert_eq!(start_all(&mut queue), [0, 2, 3]);
        queue.end(0, false);
        assert!(start_all(&mut queue).is_empty());
        queue.end(2, false);
        assert_eq!(start_all(&mut queue), [1]);
    }

    #[test]
    fn what_waits_for_a_contended_item_is_not_started() {
        let items = [[1].into(), [1, 2].into(), [2].into(), [2].into()];
        let transactions: Vec<_> = items.iter().enumerate().map(transaction).collect();
        let mut queue = Queue::of(&transactions);
        assert_eq!(start_all(&mut queue), [0, 2]);
        queue.end(0, true);
        queue.end(2, false);
        assert_eq!(start_all(&mut queue), [3]);
    }

    proptest! {
        #[test]
        fn each_is_started_once_and_no_two_at_once_touch_an_item(
            items in vec(btree_set(0_u8..6, 0..4), 0..20),
            ends in vec(any::<prop::sample::Index>(), 20),
        ) {
            let transactions: Vec<_> = items.iter().enumerate().map(transaction).collect();
            let mut queue = Queue::of(&transactions);
            let (mut under_way, mut started) = (Vec::<usize>::new(), Vec::<usize>::new());
            for end in &ends {
                let further = start_all(&mut queue);
                started.extend(&further);
                under_way.extend(further);
                let touched: Vec<_> = under_way.iter().flat_map(|it| &items[*it]).collect();
                prop_assert_eq!(touched.len(), touched.iter().collect::<BTreeSet<_>>().len());
                if !under_way.is_empty() {
                    queue.end(under_way.swap_remove(end.index(under_way.len())), false);
                }
            }
            started.sort_unstable();
            prop_assert_eq!(started, (0..items.len()).collect::<Vec<_>>());
        }
    }
}
