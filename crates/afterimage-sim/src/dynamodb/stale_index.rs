//! A secondary index that lags behind its table.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// Of how many items one keeps its older state at a refresh.
const LAGGING_ONE_IN: u8 = 8;

/// What an index holds: the items of its table as they were, each at some moment.
pub(super) struct StaleIndex {
    items: BTreeMap<String, Value>,
}

fn key_of(item: &Value) -> String {
    format!("{}\u{0}{}", item["pk"]["S"], item["sk"]["S"])
}

impl StaleIndex {
    /// An index that holds all of these.
    pub(super) fn new(items: Vec<Value>) -> Self {
        Self { items: items.into_iter().map(|item| (key_of(&item), item)).collect() }
    }

    /// Catches up with these items, but for a few.
    pub(super) fn refresh(&mut self, items: Vec<Value>, random: &mut fastrand::Rng) {
        let mut new = Self::new(items).items;
        let keys: std::collections::BTreeSet<_> =
            self.items.keys().chain(new.keys()).cloned().collect();
        for key in keys {
            if random.u8(0..LAGGING_ONE_IN) == 0 {
                match self.items.remove(&key) {
                    Some(old) => new.insert(key, old),
                    None => new.remove(&key),
                };
            }
        }
        self.items = new;
    }

    /// The item with this key, as it was.
    pub(super) fn item(&self, key: &Value) -> Option<&Value> {
        self.items.get(&key_of(key))
    }

    /// The answer to a query of the index: keys only, a page of a few at a time.
    pub(super) fn answer(&self, request: &Value, page_size: usize) -> Option<Value> {
        let attribute = request["ExpressionAttributeNames"]["#partition"].as_str()?;
        let partition = &request["ExpressionAttributeValues"][":partition"];
        let mut found: Vec<_> =
            self.items.values().filter(|item| item.get(attribute) == Some(partition)).collect();
        found.sort_by_key(|item| (item["sk"]["S"].to_string(), item["pk"]["S"].to_string()));
        let keys = |item: &Value| json!({ "pk": item["pk"], "sk": item["sk"], attribute: item[attribute] });
        let start = match request.get("ExclusiveStartKey") {
            None => 0,
            Some(start) => found.iter().position(|item| keys(item) == *start)? + 1,
        };
        let page: Vec<_> = found.iter().skip(start).take(page_size).map(|it| keys(it)).collect();
        let mut answer = json!({
            "Items": page,
            "Count": page.len(),
            "ScannedCount": page.len(),
            "ConsumedCapacity": { "TableName": request["TableName"], "CapacityUnits": 0.5 },
        });
        if let Some(last) = page.last().filter(|_| start + page.len() < found.len()) {
            answer["LastEvaluatedKey"] = last.clone();
        }
        Some(answer)
    }
}
