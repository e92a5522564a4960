//! Items as they stood at one moment.

use std::collections::BTreeMap;

use afterimage::{Item, ItemKey};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_get_items::TransactGetItemsError;
use aws_sdk_dynamodb::types::{Get, ReturnConsumedCapacity, TransactGetItem};
use dynamodb_client::{Meaning, meaning, meaning_of_reason};

use super::{Session, StoreError, service_error};
use crate::convert::{item_from_sdk, item_to_sdk};

/// Keys in one `TransactGetItems`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactGetItems.html>).
pub(crate) const SNAPSHOT_KEYS_MAX: usize = 100;

impl Session<'_> {
    /// The items with these keys, up to [`SNAPSHOT_KEYS_MAX`], as they stood at one moment; for each key `None`
    /// if there is no item. `None` in all if writers were in the way of every attempt.
    ///
    /// # Errors
    /// [`StoreError`] if they cannot be read.
    pub(crate) async fn snapshot(
        &self,
        keys: &[ItemKey],
    ) -> Result<Option<BTreeMap<ItemKey, Option<Item>>>, StoreError> {
        let wanted = keys.iter().map(|key| {
            let table_name = self.store.catalog.name(&key.table)?;
            let get = Get::builder().table_name(table_name);
            let get = get.set_key(Some(item_to_sdk(&self.key_item(key)?))).build()?;
            Ok(TransactGetItem::builder().get(get).build())
        });
        let wanted = wanted.collect::<Result<Vec<_>, StoreError>>()?;
        let mut backoff = self.budget.backoff();
        loop {
            let request = self.store.client.transact_get_items();
            let request = request
                .set_transact_items(Some(wanted.clone()))
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            let error = match self.budget.within(request.send()).await {
                None => return Err(StoreError::TimeOver),
                Some(Err(error)) => error,
                Some(Ok(output)) => {
                    self.meter.read(output.consumed_capacity());
                    let responses = output.responses.ok_or(StoreError::Answer)?;
                    if responses.len() != keys.len() {
                        return Err(StoreError::Answer);
                    }
                    let items = keys.iter().zip(responses).map(|(key, response)| {
                        let item = response.item.as_ref().map(item_from_sdk).transpose()?;
                        Ok((key.clone(), item))
                    });
                    return items.collect::<Result<_, StoreError>>().map(Some);
                }
            };
            self.meter.retried();
            if !meaning_of_snapshot(&error).is_passing() {
                return Err(service_error("TransactGetItems", error));
            }
            if !backoff.wait().await {
                return Ok(None);
            }
        }
    }
}

/// What an error means: of a cancelled transaction, the gravest of its reasons.
fn meaning_of_snapshot<R>(error: &SdkError<TransactGetItemsError, R>) -> Meaning {
    match error.as_service_error() {
        Some(TransactGetItemsError::TransactionCanceledException(cancelled)) => {
            let reasons = cancelled.cancellation_reasons().iter();
            let meanings: Vec<_> = reasons.filter_map(meaning_of_reason).collect();
            let grave = meanings.iter().find(|it| !it.is_passing());
            grave.or(meanings.first()).copied().unwrap_or(Meaning::Unknown)
        }
        _ => meaning(error),
    }
}
