//! Writes: transactions on the conditions that the core states, and parked records.

use afterimage::engine::{Committed, Refusal};
use afterimage::parked::ParkedRecord;
use afterimage::write::Transaction;
use afterimage::{Item, ItemKey};
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use dynamodb_client::{Meaning, meaning, meaning_of_reason};
use tokio::time::Instant;

use super::{Session, StoreError, service_error};
use crate::convert::item_to_sdk;
use crate::expression::transact_action;
use crate::pace::Pace;

impl Session<'_> {
    /// Commits a transaction, or says why not.
    ///
    /// # Errors
    /// [`StoreError`] where neither trying nor planning again can help now.
    pub(crate) async fn commit(&self, transaction: &Transaction) -> Result<Committed, StoreError> {
        let actions = transaction
            .writes
            .iter()
            .map(|write| {
                let table_name = self.store.catalog.name(&write.key.table)?;
                Ok(transact_action(table_name, &self.key_item(&write.key)?, write)?)
            })
            .collect::<Result<Vec<_>, StoreError>>()?;
        let request = self
            .store
            .client
            .transact_write_items()
            .set_transact_items(Some(actions))
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        match self.budget.within(request.send()).await {
            None => Err(StoreError::TimeOver),
            Some(Ok(output)) => {
                self.meter.written(output.consumed_capacity());
                self.meter.committed();
                Ok(Ok(()))
            }
            Some(Err(error)) => match refusal(&error) {
                Some(refusal) => {
                    self.note_refusal(&refusal);
                    Ok(Err(refusal))
                }
                None => Err(service_error("TransactWriteItems", error)),
            },
        }
    }

    fn note_refusal(&self, refusal: &Refusal) {
        match refusal {
            Refusal::Changed(_) => self.meter.conflicted(),
            Refusal::Contended | Refusal::Throttled | Refusal::Unknown | Refusal::Invalid(_) => {
                self.meter.retried();
            }
        }
    }

    /// Puts an item, whatever stood there.
    ///
    /// # Errors
    /// [`StoreError`] where it may not have been put.
    pub(crate) async fn put(&self, key: &ItemKey, item: &Item) -> Result<(), StoreError> {
        let table_name = self.store.catalog.name(&key.table)?;
        let put = self.retried(|| async {
            let request = self.store.client.put_item();
            request
                .table_name(table_name)
                .set_item(Some(item_to_sdk(item)))
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| service_error("PutItem", error))
        });
        self.meter.written(put.await?.consumed_capacity.as_slice());
        Ok(())
    }

    /// Puts an item where none stands.
    ///
    /// # Errors
    /// [`StoreError`] where it may not have been put.
    pub(crate) async fn put_new(&self, key: &ItemKey, item: &Item) -> Result<(), StoreError> {
        let table_name = self.store.catalog.name(&key.table)?;
        let put = self.retried(|| async {
            let request = self
                .store
                .client
                .put_item()
                .table_name(table_name)
                .set_item(Some(item_to_sdk(item)))
                .condition_expression("attribute_not_exists(pk)")
                .return_consumed_capacity(ReturnConsumedCapacity::Total);
            match request.send().await {
                Ok(output) => {
                    self.meter.written(output.consumed_capacity.as_slice());
                    Ok(())
                }
                Err(error) if meaning(&error) == Meaning::Changed => Ok(()),
                Err(error) => Err(service_error("PutItem", error)),
            }
        });
        put.await
    }

    /// Puts the pieces of a parked record, each once, or counts parked rows.
    ///
    /// # Errors
    /// [`StoreError`] where a piece may not have been put.
    pub(crate) async fn park(&self, record: &ParkedRecord) -> Result<(), StoreError> {
        if let Some(writes) = record.rows_writes()? {
            return self.commit_one(&writes).await;
        }
        for (key, item) in record.to_items()? {
            self.put_new(&key, &item).await?;
        }
        Ok(())
    }
}

impl Session<'_> {
    /// Commits the first of these transactions whose conditions hold, as long as there is time.
    async fn commit_one(&self, transactions: &[Transaction]) -> Result<(), StoreError> {
        let mut pace = Pace::new(self.budget);
        loop {
            let (began, mut ends) = (Instant::now(), Vec::new());
            for transaction in transactions {
                let end = self.commit(transaction).await?;
                let is_next = matches!(end, Err(Refusal::Changed(_)));
                ends.push(end);
                if !is_next {
                    break;
                }
            }
            match ends.last() {
                Some(Ok(())) | None => return Ok(()),
                Some(Err(Refusal::Invalid(_))) => return Err(StoreError::ParkingRefused),
                Some(Err(_)) => pace.ended(&ends, began.elapsed()).await?,
            }
        }
    }
}

/// What a failed transaction means to the task that planned it; `None` where it is hopeless.
fn refusal<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Refusal> {
    if let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    {
        let reasons: Vec<_> = cancelled
            .cancellation_reasons()
            .iter()
            .enumerate()
            .filter_map(|(index, reason)| Some((index, meaning_of_reason(reason)?)))
            .collect();
        return refusal_of_reasons(&reasons);
    }
    match meaning(error) {
        Meaning::Changed => Some(Refusal::Changed(Vec::new())),
        Meaning::Contended => Some(Refusal::Contended),
        Meaning::Throttled => Some(Refusal::Throttled),
        Meaning::Unknown => Some(Refusal::Unknown),
        Meaning::Invalid => Some(Refusal::Invalid(Vec::new())),
        Meaning::Hopeless => None,
    }
}

/// A changed item outweighs contention, that a lack of capacity, and that an invalid write: each is looked
/// at again once the one before it is out of the way.
fn refusal_of_reasons(reasons: &[(usize, Meaning)]) -> Option<Refusal> {
    let with = |wanted: Meaning| -> Vec<usize> {
        reasons.iter().filter(|(_, it)| *it == wanted).map(|(index, _)| *index).collect()
    };
    let (changed, invalid) = (with(Meaning::Changed), with(Meaning::Invalid));
    if !changed.is_empty() {
        Some(Refusal::Changed(changed))
    } else if !with(Meaning::Contended).is_empty() {
        Some(Refusal::Contended)
    } else if !with(Meaning::Throttled).is_empty() {
        Some(Refusal::Throttled)
    } else if !invalid.is_empty() {
        Some(Refusal::Invalid(invalid))
    } else if !with(Meaning::Unknown).is_empty() || reasons.is_empty() {
        Some(Refusal::Unknown)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use dynamodb_client::meaning_of_code;

    use super::*;

    #[track_caller]
    fn check(reasons: &[(usize, &str)], expected: Option<&Refusal>) {
        let reasons: Vec<_> =
            reasons.iter().map(|(index, code)| (*index, meaning_of_code(code))).collect();
        assert_eq!(refusal_of_reasons(&reasons).as_ref(), expected);
    }

    #[test]
    fn a_cancelled_transaction_means_what_is_most_pressing() {
        check(
            &[(0, "TransactionConflict"), (3, "ConditionalCheckFailed")],
            Some(&Refusal::Changed(vec![3])),
        );
        check(&[(0, "ThrottlingError"), (1, "TransactionConflict")], Some(&Refusal::Contended));
        check(&[(0, "ValidationError"), (1, "ThrottlingError")], Some(&Refusal::Throttled));
        check(&[(2, "ValidationError")], Some(&Refusal::Invalid(vec![2])));
        check(&[(2, "InternalServerError")], Some(&Refusal::Unknown));
        check(&[], Some(&Refusal::Unknown));
        check(&[(0, "AccessDenied")], None);
    }
}
