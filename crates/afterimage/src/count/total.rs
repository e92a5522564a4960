//! What is known of counts, so that one that comes to 0 is deleted.

use std::collections::BTreeMap;

use super::view::Target;
use crate::attribute_value::{AttributeValue, Item, item_byte_count};
use crate::key::ItemKey;
use crate::write::{Action, Changes, Clause, Write};

/// The attribute of a count that repairs of it are noted in. A count that has one is never deleted: a repair
/// that comes late would be applied twice.
const REPAIRS: &str = "repairs";

/// What is known of one count.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Total {
    /// It was read: its value, and its bytes.
    Read { value: i128, byte_count: usize },
    /// It is only added to: it has no value that can come to 0, or changed while it was to be deleted.
    Added,
}

/// The counts that a task touches, by key. A count is read only if a transaction takes from it.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<ItemKey, Total>);

impl Totals {
    /// Whether a count has to be read before this sum is added to it.
    pub(super) fn is_unread(&self, key: &ItemKey, sum: i64) -> bool {
        sum < 0 && !self.0.contains_key(key)
    }

    /// Takes a count as it was read.
    pub(super) fn answered(&mut self, target: &Target, key: ItemKey, item: Option<&Item>) {
        let total = item.and_then(|item| {
            let value = match item.get(&target.count_attribute)? {
                AttributeValue::N(number) => number.as_str().parse().ok()?,
                _ => return None,
            };
            let is_deletable = !item.contains_key(REPAIRS);
            is_deletable.then(|| Total::Read { value, byte_count: item_byte_count(item) })
        });
        self.0.insert(key, total.unwrap_or(Total::Added));
    }

    /// A sum was added to the count.
    pub(super) fn added(&mut self, key: &ItemKey, sum: i64) {
        if let Some(Total::Read { value, .. }) = self.0.get_mut(key) {
            *value += i128::from(sum);
        }
    }

    /// Others may have changed the count: it is read again.
    pub(super) fn forget(&mut self, key: &ItemKey) {
        self.0.retain(|known, total| known != key || *total == Total::Added);
    }

    /// The count was not what had been read when it was to be deleted: it is only added to from now on.
    pub(super) fn refused(&mut self, key: ItemKey) {
        self.0.insert(key, Total::Added);
    }

    /// The write that adds a sum to a count: a deletion if it comes to 0, on condition that it is what was read.
    pub(super) fn write(&self, target: &Target, key: ItemKey, sum: i64) -> Write {
        match self.0.get(&key) {
            Some(Total::Read { value, byte_count }) if sum < 0 && value + i128::from(sum) == 0 => {
                let value = AttributeValue::N((-sum).into());
                Write {
                    key,
                    action: Action::Delete,
                    conditions: vec![
                        Clause::Equals(target.count_attribute.clone(), value),
                        Clause::Missing(REPAIRS.to_owned()),
                    ],
                    read_byte_count: *byte_count,
                }
            }
            _ => Write {
                key,
                action: Action::Update(Changes {
                    add: [(target.count_attribute.clone(), sum)].into(),
                    ..Changes::default()
                }),
                conditions: Vec::new(),
                read_byte_count: 0,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;
    use crate::count::SortTemplate;

    fn target() -> Target {
        Target {
            partition: "orders-by-status".to_owned(),
            sort: SortTemplate { before: String::new(), after: String::new() },
            count_attribute: "count".to_owned(),
        }
    }

    fn count(value: i64) -> Item {
        [("count".to_owned(), AttributeValue::N(value.into()))].into()
    }

    /// Checks what a sum does to a count that was read so.
    #[track_caller]
    fn check(item: Option<&Item>, sum: i64, expected: &Expect) {
        let (target, mut totals) = (target(), Totals::default());
        let key = target.key("paid");
        assert_eq!(totals.is_unread(&key, sum), sum < 0);
        totals.answered(&target, key.clone(), item);
        assert!(!totals.is_unread(&key, sum));
        let write = totals.write(&target, key, sum);
        let word = match &write.action {
            Action::Delete => "delete".to_owned(),
            Action::Update(changes) => format!("add {:?}", changes.add),
            other => format!("{other:?}"),
        };
        expected.assert_eq(&format!("{word} if {} conditions hold", write.conditions.len()));
    }

    #[test]
    fn a_count_that_comes_to_0_is_deleted() {
        let deleted = expect!["delete if 2 conditions hold"];
        check(Some(&count(2)), -2, &deleted);
        check(Some(&count(3)), -2, &expect![[r#"add {"count": -2} if 0 conditions hold"#]]);
        check(Some(&count(-2)), 2, &expect![[r#"add {"count": 2} if 0 conditions hold"#]]);
        check(None, -1, &expect![[r#"add {"count": -1} if 0 conditions hold"#]]);
    }

    #[test]
    fn a_count_that_cannot_be_deleted_safely_is_added_to() {
        let added = expect![[r#"add {"count": -2} if 0 conditions hold"#]];
        let mut repaired = count(2);
        repaired.insert(REPAIRS.to_owned(), AttributeValue::L(Vec::new()));
        check(Some(&repaired), -2, &added);
        check(Some(&[("count".to_owned(), AttributeValue::string("2"))].into()), -2, &added);
    }

    #[test]
    fn a_refused_deletion_is_an_addition_from_then_on() {
        let (target, mut totals) = (target(), Totals::default());
        let key = target.key("paid");
        totals.answered(&target, key.clone(), Some(&count(1)));
        totals.refused(key.clone());
        totals.forget(&key);
        assert!(!totals.is_unread(&key, -1));
        assert!(matches!(totals.write(&target, key, -1).action, Action::Update(_)));
    }

    #[test]
    fn what_the_task_adds_is_known_without_another_read() {
        let (target, mut totals) = (target(), Totals::default());
        let key = target.key("paid");
        totals.answered(&target, key.clone(), Some(&count(3)));
        totals.added(&key, -2);
        assert_eq!(totals.write(&target, key.clone(), -1).action, Action::Delete);
        totals.forget(&key);
        assert!(totals.is_unread(&key, -1));
    }
}
