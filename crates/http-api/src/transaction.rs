//! Conditional writes, all or nothing, that may be sent twice.

use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    CancellationReason, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use dynamodb_client::{Backoff, Meaning, meaning_of_reason};

use crate::{Item, StoreError, store_error};

/// The longest wait before the first repetition; it doubles with every further one.
const FIRST_WAIT: Duration = Duration::from_millis(50);

/// The longest wait: the five take 1.5 seconds at most.
const LONGEST_WAIT: Duration = Duration::from_millis(800);

/// How often a transaction that met another one, or throttling, is tried again.
const REPETITIONS_MAX: u32 = 5;

/// What became of a transaction.
#[derive(Debug)]
pub enum Outcome {
    /// All of it is written.
    Written,
    /// Nothing is: these conditions do not hold.
    Refused(Refused),
}

/// Per write of the transaction, in its order: the item that stands where its condition does not hold.
#[derive(Debug)]
pub struct Refused(Vec<Option<Item>>);

impl Refused {
    /// The item that refused the write of this index, empty where none stands there; `None` where its
    /// condition holds.
    #[must_use]
    pub fn at(&self, index: usize) -> Option<&Item> {
        self.0.get(index)?.as_ref()
    }
}

/// Puts an item where its table has none with its key, of which `key_attribute` is one.
///
/// # Errors
/// [`StoreError::Failed`] for a table without a name.
pub fn put_new(
    table: &str,
    key_attribute: &str,
    item: Item,
) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression(format!("attribute_not_exists({key_attribute})"))
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(|error| StoreError::Failed {
            operation: "building a transaction",
            source: Box::new(error),
        })?;
    Ok(TransactWriteItem::builder().put(put).build())
}

/// Writes everything or nothing. Conflicts and throttling are tried again a bounded number of times.
///
/// The SDK repeats a request whose response was lost, and a conditional write that was carried out would
/// then refuse itself. A transaction does not: the SDK gives it a token, by which DynamoDB knows it again
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html>). It costs
/// twice the write units of the same writes without one.
///
/// # Errors
/// [`StoreError`]; nothing is written then, unless every response was lost on the way.
pub async fn transact(
    client: &Client,
    operation: &'static str,
    writes: Vec<TransactWriteItem>,
) -> Result<Outcome, StoreError> {
    let mut backoff = Backoff::new(FIRST_WAIT, LONGEST_WAIT, REPETITIONS_MAX);
    loop {
        let request = client.transact_write_items().set_transact_items(Some(writes.clone()));
        let Err(error) = request.send().await else {
            return Ok(Outcome::Written);
        };
        let reasons = reasons(&error);
        let passing = |reason: &CancellationReason| {
            meaning_of_reason(reason).is_some_and(Meaning::is_passing)
        };
        let passes = reasons.iter().any(passing);
        // First: a transaction that is under way may hold what makes sense of a refused condition.
        if passes && backoff.wait().await {
            continue;
        }
        let is_refused =
            |reason: &CancellationReason| meaning_of_reason(reason) == Some(Meaning::Changed);
        if !passes && reasons.iter().any(is_refused) {
            let item = |reason: &CancellationReason| reason.item().cloned().unwrap_or_default();
            let refused = reasons.iter().map(|it| is_refused(it).then(|| item(it)));
            return Ok(Outcome::Refused(Refused(refused.collect())));
        }
        return Err(if passes {
            StoreError::Busy { operation, source: Box::new(error) }
        } else {
            store_error(operation, error)
        });
    }
}

fn reasons<R>(error: &SdkError<TransactWriteItemsError, R>) -> &[CancellationReason] {
    match error.as_service_error() {
        Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) => {
            cancelled.cancellation_reasons()
        }
        Some(_) | None => &[],
    }
}
