//! The answer to a transaction that is cancelled.

use serde_json::{Value, json};

/// A cancelled transaction: these of its actions have this reason, the others none.
pub(super) fn cancelled(action_count: usize, picked: &[usize], code: &str) -> Value {
    let reasons: Vec<_> = (0..action_count)
        .map(|action| json!({ "Code": if picked.contains(&action) { code } else { "None" } }))
        .collect();
    json!({
        "__type": "com.amazonaws.dynamodb.v20120810#TransactionCanceledException",
        "Message": "Transaction cancelled, please refer cancellation reasons for specific reasons",
        "CancellationReasons": reasons,
    })
}
