use super::*;
use crate::catalog::tests::orders;
use crate::count::{SortTemplate, Target};
use crate::selection::Selection;

fn audit() -> CountAudit {
    let sort = SortTemplate { before: String::new(), after: String::new() };
    CountAudit::new(Arc::new(CountView {
        name: "order-counts".parse().expect("a name"),
        selection: Selection::default(),
        group_by: "status".to_owned(),
        removal: Removal::Retract,
        target: Target {
            partition: "orders-by-status".to_owned(),
            sort,
            count_attribute: "count".to_owned(),
        },
        definition: orders(),
    }))
}

fn order(number: u32, status: &str) -> Item {
    [("customer", number.to_string()), ("number", "It".to_owned()), ("status", status.to_owned())]
        .map(|(name, text)| (name.to_owned(), AttributeValue::string(text)))
        .into()
}

fn entry(number: u64, group: &str) -> Entry {
    let version = Version {
        stream_label: "2026-01-01T00:00:00".parse().expect("a label"),
        sequence_number: number.to_string().parse().expect("a number"),
    };
    Entry { version, standing: Standing::Counted { group: group.parse().expect("a group") } }
}

/// The entry of an order, as an item.
fn entry_item(audit: &CountAudit, order: &Item, group: &str) -> Item {
    let view = audit.view();
    let key = ItemKey::of_item(&view.definition, order).expect("a key");
    match entry(1, group).write(&view.name, &view.definition, &key, None).action {
        crate::write::Action::Put(item) => item,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_kept_grows_with_groups_and_not_with_items() {
    let mut audit = audit();
    for number in 0..5000 {
        let status = format!("status {}", number % 3);
        let order = order(number, &status);
        audit.source(&order);
        let entry = entry_item(&audit, &order, &status);
        audit.derived(&entry);
    }
    assert_eq!(audit.source_item_count, 5000);
    assert_eq!((audit.fold.len(), audit.ledger.groups().count()), (3, 3));
    assert_eq!(audit.buckets.len(), BUCKET_COUNT);
    assert!(!audit.is_ledger_suspect() && audit.broken.is_empty());
}

#[test]
fn two_items_that_changed_places_are_seen() {
    let mut audit = audit();
    for (number, in_table, in_ledger) in
        [(1, "Rock", "Jazz"), (2, "Jazz", "Rock"), (3, "Pop", "Pop")]
    {
        let order = order(number, in_table);
        audit.source(&order);
        let entry = entry_item(&audit, &order, in_ledger);
        audit.derived(&entry);
    }
    let is_suspect = |number| {
        let key = ItemKey::of_item(&audit.view().definition, &order(number, "")).expect("a key");
        audit.is_suspect(&audit.entry_partition(&key))
    };
    assert_eq!([1, 2, 3].map(is_suspect), [true, true, false]);
}
