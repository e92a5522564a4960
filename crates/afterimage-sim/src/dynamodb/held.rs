//! Items that writes hold while they are carried out. A write that meets a held item is refused, as DynamoDB refuses
//! one of two that overlap
//! (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>).

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Value, json};

use super::cancelled::cancelled;

/// How long a transaction holds its items.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TransactionTime {
    /// Whatever it does, in milliseconds.
    pub base_ms: u64,
    /// For each of its actions, in microseconds.
    pub per_action_us: u64,
}

impl TransactionTime {
    /// No time: no two overlap.
    pub const NONE: Self = Self { base_ms: 0, per_action_us: 0 };

    pub(super) fn of(self, action_count: usize) -> Duration {
        let per_action = Duration::from_micros(self.per_action_us);
        let action_count = u32::try_from(action_count).unwrap_or(u32::MAX);
        Duration::from_millis(self.base_ms) + per_action.saturating_mul(action_count)
    }
}

/// What one write holds, and the token that tells its repetitions from others.
#[derive(Debug)]
pub(super) struct Hold {
    keys: Vec<String>,
    token: Option<String>,
    is_transaction: bool,
}

impl Hold {
    /// What a request holds; `None` if it does not write an item, or names no table and is refused anyway. Tables have these key attributes, by their real names.
    pub(super) fn of(
        operation: &str,
        body: &str,
        key_attributes: &BTreeMap<String, Vec<String>>,
    ) -> Option<Self> {
        let is_transaction = operation == "TransactWriteItems";
        if !is_transaction && !matches!(operation, "PutItem" | "UpdateItem" | "DeleteItem") {
            return None;
        }
        let request: Value = serde_json::from_str(body).ok()?;
        let key = |action: &Value| {
            let table = action["TableName"].as_str()?;
            let item = if action["Key"].is_null() { &action["Item"] } else { &action["Key"] };
            let names = key_attributes.get(table).into_iter().flatten();
            let values = names.map(|name| item[name].to_string());
            Some(format!("{table} {}", values.collect::<Vec<_>>().join(" ")))
        };
        let keys = match request["TransactItems"].as_array() {
            Some(actions) if is_transaction => {
                let actions = actions.iter().filter_map(|it| it.as_object()?.values().next());
                actions.map(key).collect::<Option<_>>()?
            }
            _ => vec![key(&request)?],
        };
        let token = request["ClientRequestToken"].as_str().map(str::to_owned);
        Some(Self { keys, token, is_transaction })
    }

    pub(super) fn action_count(&self) -> usize {
        self.keys.len()
    }

    pub(super) fn is_transaction(&self) -> bool {
        self.is_transaction
    }
}

/// What is held now.
#[derive(Debug, Default)]
pub(super) struct Held {
    keys: BTreeSet<String>,
    tokens: BTreeSet<String>,
}

impl Held {
    /// Holds the items of a write, or says how it is refused: status and body.
    pub(super) fn take(&mut self, hold: &Hold) -> Result<(), (u16, Value)> {
        if hold.token.as_ref().is_some_and(|token| self.tokens.contains(token)) {
            return Err((400, exception("TransactionInProgressException")));
        }
        let keys = hold.keys.iter().enumerate();
        let met: Vec<_> = keys.filter(|(_, key)| self.keys.contains(*key)).collect();
        if met.is_empty() {
            self.keys.extend(hold.keys.iter().cloned());
            self.tokens.extend(hold.token.clone());
            return Ok(());
        }
        let met: Vec<_> = met.into_iter().map(|(place, _)| place).collect();
        Err((
            400,
            match hold.is_transaction {
                true => cancelled(hold.keys.len(), &met, "TransactionConflict"),
                false => exception("TransactionConflictException"),
            },
        ))
    }

    pub(super) fn release(&mut self, hold: &Hold) {
        hold.keys.iter().for_each(|key| {
            self.keys.remove(key);
        });
        hold.token.iter().for_each(|token| {
            self.tokens.remove(token);
        });
    }
}

fn exception(code: &str) -> Value {
    json!({
        "__type": format!("com.amazonaws.dynamodb.v20120810#{code}"),
        "message": "Transaction is ongoing for the item",
    })
}
