//! Transactions of puts whose keys must be free.

use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use http_api::{Backoff, Item, StoreError, store_error};

use crate::Messages;

/// How often a transaction that met another one, or throttling, is tried again.
const REPETITIONS_MAX: u32 = 5;

/// Reasons for a cancellation that go away by themselves
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
const PASSING_REASONS: [&str; 3] =
    ["ProvisionedThroughputExceeded", "ThrottlingError", "TransactionConflict"];

/// What became of a transaction.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// Every item was put.
    Written,
    /// Nothing was: these keys are taken.
    Taken(Taken),
}

/// Per item of the transaction, in its order: the item that stands at its key, if one does.
#[derive(Debug)]
pub(crate) struct Taken(Vec<Option<Item>>);

impl Taken {
    /// The item that stands where the item of this index was to be put.
    pub(crate) fn at(&self, index: usize) -> Option<&Item> {
        self.0.get(index)?.as_ref()
    }
}

/// Puts all items, or none where the key of one is taken. Conflicts and throttling are tried again a
/// bounded number of times.
///
/// # Errors
/// [`StoreError`]; nothing is written then, unless the answer was lost on the way.
pub(crate) async fn put_all(messages: &Messages, items: &[Item]) -> Result<Outcome, StoreError> {
    let actions: Vec<TransactWriteItem> =
        items.iter().map(|item| put(messages, item)).collect::<Result<_, _>>()?;
    let mut backoff = Backoff::new(REPETITIONS_MAX);
    loop {
        let request = messages.client.transact_write_items();
        let sent = request.set_transact_items(Some(actions.clone())).send().await;
        let Err(error) = sent else {
            return Ok(Outcome::Written);
        };
        let reasons = reasons(&error);
        let passing = |reason: &CancellationReason| {
            reason.code().is_some_and(|code| PASSING_REASONS.contains(&code))
        };
        let passes = reasons.iter().any(passing);
        // First: a transaction that is under way may hold what makes sense of a key that is taken.
        if passes && backoff.wait().await {
            continue;
        }
        let refused = |reason: &CancellationReason| reason.code() == Some("ConditionalCheckFailed");
        if !passes && reasons.iter().any(refused) {
            return Ok(Outcome::Taken(taken(reasons)));
        }
        let operation = "TransactWriteItems of messages";
        return Err(if passes {
            StoreError::Busy { operation, source: Box::new(error) }
        } else {
            store_error(operation, error)
        });
    }
}

fn put(messages: &Messages, item: &Item) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(messages.table())
        .set_item(Some(item.clone()))
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|error| StoreError::Failed {
            operation: "building a transaction",
            source: Box::new(error),
        })?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> &[CancellationReason] {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        Some(_) | None => &[],
    }
}

fn taken(reasons: &[CancellationReason]) -> Taken {
    let refused = |reason: &CancellationReason| {
        (reason.code() == Some("ConditionalCheckFailed"))
            .then(|| reason.item().cloned().unwrap_or_default())
    };
    Taken(reasons.iter().map(refused).collect())
}
