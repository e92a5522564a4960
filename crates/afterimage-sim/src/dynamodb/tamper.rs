//! What planted bugs make of requests on their way to DynamoDB.

use serde_json::{Map, Value, json};

use crate::canary::Canary;

/// What becomes of a request.
pub(super) enum Passage {
    /// It passes, as it is or changed.
    Whole(Value),
    /// It passes as two calls, one after the other.
    Apart([Part; 2]),
    /// It is never carried out, and answered as if it was.
    Swallowed,
}

/// A part of a transaction.
pub(super) struct Part {
    pub(super) request: Value,
    /// The place of each of its actions in the whole transaction.
    places: Vec<usize>,
}

impl Part {
    /// The refusal of this part as one of a transaction of so many actions: each reason is in the place
    /// of its action.
    pub(super) fn refusal_of_whole(&self, body: &str, action_count: usize) -> String {
        let Ok(mut error) = serde_json::from_str::<Value>(body) else { return body.to_owned() };
        if let Some(found) = error["CancellationReasons"].as_array() {
            let mut reasons = vec![json!({ "Code": "None" }); action_count];
            for (place, reason) in self.places.iter().zip(found) {
                if let Some(slot) = reasons.get_mut(*place) {
                    *slot = reason.clone();
                }
            }
            error["CancellationReasons"] = Value::from(reasons);
        }
        error.to_string()
    }
}

/// What a canary makes of a request.
pub(super) fn passage(canary: Canary, operation: &str, request: Value) -> Passage {
    match (canary, operation) {
        (Canary::EventualReads, "BatchGetItem") => Passage::Whole(eventual(request)),
        (Canary::ParkingForgotten, "PutItem") if has_prefix(&request["Item"], "parked#") => {
            Passage::Swallowed
        }
        (Canary::DeleteAndPutApart, "TransactWriteItems") => {
            apart(request, |action| action.get("Delete").is_some())
        }
        (Canary::LedgerApartFromCount, "TransactWriteItems") if is_of_counts(&request) => {
            apart(request, |action| action.get("Put").is_some())
        }
        (
            Canary::LedgerWithoutCondition
            | Canary::TombstoneForgotten
            | Canary::HeadWithoutCondition
            | Canary::RowDeletedBlindly,
            "TransactWriteItems",
        ) => Passage::Whole(with_actions(request, |action| tamper(canary, action))),
        _ => Passage::Whole(request),
    }
}

fn eventual(mut request: Value) -> Value {
    for (_, wanted) in request["RequestItems"].as_object_mut().into_iter().flatten() {
        wanted["ConsistentRead"] = json!(false);
    }
    request
}

fn with_actions(mut request: Value, mut act: impl FnMut(&mut Map<String, Value>)) -> Value {
    let actions = request["TransactItems"].as_array_mut();
    actions.into_iter().flatten().filter_map(Value::as_object_mut).for_each(&mut act);
    request
}

fn tamper(canary: Canary, action: &mut Map<String, Value>) {
    match canary {
        Canary::LedgerWithoutCondition => {
            if let Some(put) = action.get_mut("Put").filter(|it| has_prefix(&it["Item"], "ledger#"))
            {
                drop_condition(put);
            }
        }
        Canary::TombstoneForgotten => {
            let tombstone = |put: &Value| {
                has_prefix(&put["Item"], "ledger#") && put["Item"]["standing"]["S"] == "removed"
            };
            let put = action.get("Put").filter(|put| tombstone(put)).cloned();
            if let Some(Value::Object(mut delete)) = put
                && let Some(item) = delete.remove("Item")
            {
                delete.insert("Key".to_owned(), json!({ "pk": item["pk"], "sk": item["sk"] }));
                *action = Map::from_iter([("Delete".to_owned(), Value::Object(delete))]);
            }
        }
        Canary::HeadWithoutCondition => {
            if let Some(put) = action.get_mut("Put").filter(|it| has_prefix(&it["Item"], "head#")) {
                drop_condition(put);
            }
            let check = action.get_mut("ConditionCheck");
            if let Some(check) = check.filter(|it| has_prefix(&it["Key"], "head#")) {
                drop_condition(check);
                // A check has to have a condition: this one always holds.
                check["ConditionExpression"] =
                    json!("attribute_exists(pk) OR attribute_not_exists(pk)");
            }
        }
        Canary::RowDeletedBlindly => action.get_mut("Delete").into_iter().for_each(drop_condition),
        _ => {}
    }
}

/// Takes the condition from an action that has names and values for nothing else.
fn drop_condition(action: &mut Value) {
    if let Some(action) = action.as_object_mut() {
        action.remove("ConditionExpression");
        action.remove("ExpressionAttributeNames");
        action.remove("ExpressionAttributeValues");
    }
}

fn has_prefix(item: &Value, prefix: &str) -> bool {
    item["pk"]["S"].as_str().is_some_and(|partition| partition.starts_with(prefix))
}

fn is_of_counts(request: &Value) -> bool {
    let expression =
        |action: &Value| action["Update"]["UpdateExpression"].as_str().map(str::to_owned);
    let mut actions = request["TransactItems"].as_array().into_iter().flatten();
    actions.any(|it| expression(it).is_some_and(|it| it.contains("ADD ")))
}

/// The transaction as two: first the actions that `is_first` names, then the others; whole if there
/// are none of either.
fn apart(request: Value, is_first: impl Fn(&Value) -> bool) -> Passage {
    let actions = request["TransactItems"].as_array().into_iter().flatten().cloned().enumerate();
    let (first, second): (Vec<_>, Vec<_>) = actions.partition(|(_, action)| is_first(action));
    if first.is_empty() || second.is_empty() {
        return Passage::Whole(request);
    }
    let part = |number: usize, actions: Vec<(usize, Value)>| {
        let (places, actions): (Vec<_>, Vec<_>) = actions.into_iter().unzip();
        let mut request = request.clone();
        request["TransactItems"] = Value::from(actions);
        // Two calls have two tokens, each the same when the client tries again.
        if let Some(mut token) = request["ClientRequestToken"].as_str().map(str::to_owned) {
            token.pop();
            request["ClientRequestToken"] = json!(format!("{token}{number}"));
        }
        Part { request, places }
    };
    Passage::Apart([part(0, first), part(1, second)])
}
