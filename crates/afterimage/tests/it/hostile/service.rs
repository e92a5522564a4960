//! A service whose tables hold what nobody should have written there, and that refuses what DynamoDB
//! refuses.

use std::collections::BTreeSet;

use afterimage::attribute_value::{item_byte_count, item_from_json};
use afterimage::engine::{Answer, Committed, Read, Refusal, Step, Task};
use afterimage::limits::{ITEM_BYTES_MAX, PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX};
use afterimage::write::{Action, Transaction};
use afterimage::{AttributeValue, Catalog, ItemKey, KeyValue};
use serde_json::{Value, json};

use super::mutation::Mutation;
use crate::store::Store;

/// Steps that a task of a few records may take: far more than any needs.
const STEP_COUNT_MAX: usize = 300;

/// Set-backs in a row after which an engine leaves a task to a redelivery.
const SETBACK_COUNT_MAX: usize = 12;

/// The tables.
pub struct Service {
    store: Store,
    catalog: Catalog,
    /// What becomes of a good item that is read for the first time.
    mutations: Vec<Vec<Mutation>>,
    /// How the next commits end, before any condition is looked at.
    refusals: Vec<Option<Refusal>>,
    seen: BTreeSet<ItemKey>,
}

impl Service {
    pub fn new(
        catalog: Catalog,
        mutations: Vec<Vec<Mutation>>,
        refusals: Vec<Option<Refusal>>,
    ) -> Self {
        let mut store = Store::new(catalog.clone());
        store.is_ledger_sound = false;
        Self { store, catalog, mutations, refusals, seen: BTreeSet::new() }
    }

    /// Whether DynamoDB takes this read; a request with one that it refuses fails whole.
    pub fn takes(read: &Read) -> bool {
        match read {
            Read::Item(key) => is_key(key),
            Read::Last { partition, before, .. } => {
                is_key_value(partition, PARTITION_KEY_BYTES_MAX) && before.iter().all(is_key)
            }
            Read::Suggested { partition, .. } => is_key_value(partition, PARTITION_KEY_BYTES_MAX),
        }
    }

    pub fn answer(&mut self, read: &Read) -> Answer {
        if let Read::Item(key) = read {
            self.meet(key);
        }
        self.store.answer(read)
    }

    /// Drives a task until it is done, or an engine would leave it to a redelivery.
    pub fn drive(&mut self, task: &mut dyn Task) {
        let mut setback_count = 0;
        for _ in 0..STEP_COUNT_MAX {
            match task.next() {
                Step::Done => return,
                Step::Park(parkings) => {
                    assert!(!parkings.is_empty(), "nothing to park");
                    task.parked();
                }
                Step::Read(reads) => {
                    assert!(!reads.is_empty(), "nothing to read");
                    if !reads.iter().all(Self::takes) {
                        return;
                    }
                    let answers = reads.into_iter().map(|read| {
                        let answer = self.answer(&read);
                        (read, answer)
                    });
                    task.answered(answers.collect());
                }
                Step::Commit(transactions) => {
                    let results: Vec<_> = transactions.iter().map(|it| self.commit(it)).collect();
                    setback_count += 1;
                    if results.iter().any(Result::is_ok) {
                        setback_count = 0;
                    }
                    task.committed(results);
                    if setback_count > SETBACK_COUNT_MAX {
                        return;
                    }
                }
            }
        }
        panic!("a task goes on without end: {:#?}", task.next());
    }

    fn commit(&mut self, transaction: &Transaction) -> Committed {
        if let Some(Some(refusal)) = self.refusals.pop() {
            return Err(refusal);
        }
        let is_valid = transaction.writes.iter().all(|write| match &write.action {
            Action::Put(item) => is_key(&write.key) && item_byte_count(item) <= ITEM_BYTES_MAX,
            Action::Update(_) | Action::Delete | Action::Check => is_key(&write.key),
        });
        if !is_valid {
            return Err(Refusal::Invalid(Vec::new()));
        }
        let is_broken_count = |action: &Action, key: &ItemKey| match action {
            Action::Update(changes) => changes.add.keys().any(|name| {
                let value = self.store.items.get(key).and_then(|item| item.get(name));
                !value.is_none_or(is_whole)
            }),
            Action::Put(_) | Action::Delete | Action::Check => false,
        };
        let writes = transaction.writes.iter().enumerate();
        let broken: Vec<_> = writes
            .filter(|(_, write)| is_broken_count(&write.action, &write.key))
            .map(|(index, _)| index)
            .collect();
        if broken.is_empty() {
            self.store.commit(transaction)
        } else {
            Err(Refusal::Invalid(broken))
        }
    }

    /// Puts an item where one is read for the first time: a good one for the place, mutated.
    fn meet(&mut self, key: &ItemKey) {
        if self.store.items.contains_key(key) || !self.seen.insert(key.clone()) {
            return;
        }
        let Some(mutations) = self.mutations.pop() else { return };
        let mut json = good_item(key);
        for mutation in &mutations {
            mutation.apply(&mut json);
        }
        let Ok(mut item) = item_from_json("item", json) else { return };
        let definition = self.catalog.definition(&key.table).expect("a definition");
        item.extend(key.to_item(definition));
        if item_byte_count(&item) <= ITEM_BYTES_MAX {
            self.store.items.insert(key.clone(), item);
        }
    }
}

/// A good item for this key.
fn good_item(key: &ItemKey) -> Value {
    let partition = key.partition.as_string().unwrap_or_default();
    let sort = key.sort.as_ref().and_then(KeyValue::as_string).unwrap_or_default();
    let places = json!({"L": [
        {"M": {
            "partition": {"S": "GRP#ada"},
            "sorts": {"L": [{"S": "2026-01-01T00:00:00.000000+00:00"}, {"S": "t1"}]},
            "carries": {"N": "1"},
        }},
        {"M": {"partition": {"S": "GRP#lin"}, "sorts": {"L": []}, "carries": {"N": "0"}}},
    ]});
    match (partition.split('#').next(), sort) {
        (Some("ledger"), _) => json!({
            "stream_label": {"S": "2025-01-01T00:00:00"}, "sequence_number": {"S": "7"},
            "standing": {"S": "counted"}, "group": {"S": "Rock"},
        }),
        (Some("head"), "head") => json!({
            "revision": {"N": "3"}, "newest_revision": {"N": "2"}, "chunk_count": {"N": "1"},
            "newest_order": {"S": "2025-01-01T00:00:00.000000+00:00"},
            "newest_stream_label": {"S": "2025-01-01T00:00:00"},
            "newest_sequence_number": {"S": "7"}, "copy#message": {"S": "old"},
            "is_adopted": {"BOOL": true}, "rows": places,
        }),
        (Some("head"), _) => json!({"revision": {"N": "1"}, "rows": places}),
        _ => json!({
            "message_group_uuid": {"S": "1f0a7c3e-52b4-4d6f-8e91-a1b2c3d4e5f6"},
            "message": {"S": "old"}, "note": {"S": "own"},
        }),
    }
}

fn is_key(key: &ItemKey) -> bool {
    let is_sort = |sort: &KeyValue| is_key_value(sort, SORT_KEY_BYTES_MAX);
    is_key_value(&key.partition, PARTITION_KEY_BYTES_MAX) && key.sort.iter().all(is_sort)
}

fn is_key_value(value: &KeyValue, byte_count_max: usize) -> bool {
    (1..=byte_count_max).contains(&value.byte_count())
}

fn is_whole(value: &AttributeValue) -> bool {
    matches!(value, AttributeValue::N(number) if number.as_str().parse::<i32>().is_ok())
}
