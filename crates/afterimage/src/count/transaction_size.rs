//! How many actions a transaction takes: fewer while a table has no capacity for more.

use crate::engine::{Committed, Refusal};
use crate::limits::TRANSACTION_ACTIONS_MAX;

/// The smallest transaction: a source item that changes groups touches a ledger entry and two counts.
const ACTIONS_MIN: usize = 3;

/// Throttled rounds in a row after which transactions get smaller.
const THROTTLED_ROUNDS_MAX: u32 = 2;

/// The size of a task's next transactions. A conflict with another transaction never makes them smaller: more
/// of them would meet at the same item, and make more conflicts.
#[derive(Debug)]
pub(super) struct TransactionSize {
    action_count_max: usize,
    throttled_round_count: u32,
}

impl Default for TransactionSize {
    fn default() -> Self {
        Self { action_count_max: TRANSACTION_ACTIONS_MAX, throttled_round_count: 0 }
    }
}

impl TransactionSize {
    /// Actions in one transaction, at most.
    pub(super) fn action_count_max(&self) -> usize {
        self.action_count_max
    }

    /// Takes the ends of a round of transactions, the largest of which had so many actions. If the tables
    /// throttle one round after another, halves the size. After a success, doubles it.
    pub(super) fn note(&mut self, results: &[Committed], largest_action_count: usize) {
        if results.iter().any(Result::is_ok) {
            self.throttled_round_count = 0;
            self.action_count_max = (self.action_count_max * 2).min(TRANSACTION_ACTIONS_MAX);
        } else if results.contains(&Err(Refusal::Throttled)) {
            self.throttled_round_count += 1;
            if self.throttled_round_count >= THROTTLED_ROUNDS_MAX {
                let half = largest_action_count / 2;
                self.action_count_max = self.action_count_max.min(half).max(ACTIONS_MIN);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks the size after each of these ends of full transactions.
    #[track_caller]
    fn check(ends: &[Committed], expected: &[usize]) {
        let mut size = TransactionSize::default();
        let found: Vec<_> = ends
            .iter()
            .map(|end| {
                size.note(std::slice::from_ref(end), size.action_count_max());
                size.action_count_max()
            })
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn conflicts_never_make_transactions_smaller() {
        let conflict = || Err(Refusal::Contended);
        check(&[conflict(), conflict(), conflict(), conflict()], &[100; 4]);
    }

    #[test]
    fn throttling_makes_transactions_smaller_and_success_makes_them_grow_again() {
        let throttled = || Err(Refusal::Throttled);
        check(
            &[throttled(), throttled(), throttled(), Ok(()), Ok(()), Ok(()), throttled()],
            &[100, 50, 25, 50, 100, 100, 100],
        );
        check(&vec![throttled(); 9], &[100, 50, 25, 12, 6, 3, 3, 3, 3]);
    }
}
