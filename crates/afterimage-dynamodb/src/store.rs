//! The tables, as the engine reads and writes them: always consistently, except to ask an index for
//! suggestions.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use afterimage::parked::{ParkedError, ParkedRecord};
use afterimage::record::{Catalog, CatalogError};
use afterimage::view::{Answer, Committed, Read, Refusal};
use afterimage::write::Transaction;
use afterimage::{Item, ItemKey, KeyValue};
use afterimage_schema::Table;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{BuildError, ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use futures::stream::{StreamExt as _, TryStreamExt as _};

use crate::budget::{Backoff, Budget};
use crate::convert::{ConvertError, SdkItem, item_from_sdk, item_to_sdk, value_to_sdk};
use crate::error_policy::{Meaning, meaning, meaning_of_code};
use crate::expression::transact_action;
use crate::meter::Meter;

/// Keys in one `BatchGetItem`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
const BATCH_GET_KEYS_MAX: usize = 100;

/// Requests of one batch that are under way at once.
const CONCURRENT_REQUESTS: usize = 8;

/// Why the tables could not be read or written, and the work has to come again.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// DynamoDB refused, or did not answer.
    #[error("{operation} failed ({code})")]
    Service {
        /// The operation.
        operation: &'static str,
        /// The service's error code, or what kind of failure it was.
        code: String,
        /// The SDK's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The request could not be built.
    #[error("a request could not be built")]
    Build(#[from] BuildError),
    /// An item of the service cannot be taken.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// A table is not defined.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A record cannot be made into a parked one.
    #[error(transparent)]
    Parked(#[from] ParkedError),
    /// The batch's time is over.
    #[error("the batch's time is over")]
    TimeOver,
}

/// The tables.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    client: Client,
    catalog: Arc<Catalog>,
}

/// The tables during one batch: within its time, and metered.
pub(crate) struct Session<'a> {
    store: &'a Store,
    pub(crate) budget: Budget,
    pub(crate) meter: Meter,
}

impl Store {
    pub(crate) fn new(client: Client, catalog: Arc<Catalog>) -> Self {
        Self { client, catalog }
    }

    pub(crate) fn session(&self, budget: Budget) -> Session<'_> {
        Session {
            store: self,
            budget,
            meter: Meter::default(),
        }
    }
}

impl Session<'_> {
    /// Answers to these reads.
    ///
    /// # Errors
    /// [`StoreError`] where one of them could not be answered within the budget.
    pub(crate) async fn read(&self, reads: Vec<Read>) -> Result<Vec<(Read, Answer)>, StoreError> {
        let mut keys = BTreeSet::new();
        let mut answers = Vec::new();
        for read in reads {
            match &read {
                Read::Item(key) => {
                    keys.insert(key.clone());
                }
                Read::Last {
                    table,
                    partition,
                    sort_prefix,
                } => {
                    let item = self
                        .retried(|| self.last(*table, partition, sort_prefix))
                        .await?;
                    answers.push((read, Answer::Item(item)));
                }
                Read::Suggested {
                    table,
                    index,
                    partition,
                    limit,
                } => {
                    let items = self.suggested(*table, index, partition, *limit).await?;
                    answers.push((read, Answer::Suggested(items)));
                }
            }
        }
        let items = self.items(keys).await?;
        answers.extend(
            items
                .into_iter()
                .map(|(key, item)| (Read::Item(key), Answer::Item(item))),
        );
        Ok(answers)
    }

    /// The items with these keys, read consistently; `None` for those that are absent.
    async fn items(
        &self,
        keys: BTreeSet<ItemKey>,
    ) -> Result<BTreeMap<ItemKey, Option<Item>>, StoreError> {
        let keys: Vec<_> = keys.into_iter().collect();
        let mut batches = Vec::new();
        for batch in keys.chunks(BATCH_GET_KEYS_MAX) {
            batches.push(self.batch_get(batch));
        }
        let found: Vec<Vec<(ItemKey, Item)>> = futures::stream::iter(batches)
            .buffer_unordered(CONCURRENT_REQUESTS)
            .try_collect()
            .await?;
        let mut items: BTreeMap<_, _> = keys.into_iter().map(|key| (key, None)).collect();
        items.extend(
            found
                .into_iter()
                .flatten()
                .map(|(key, item)| (key, Some(item))),
        );
        Ok(items)
    }

    async fn batch_get(&self, keys: &[ItemKey]) -> Result<Vec<(ItemKey, Item)>, StoreError> {
        let mut found = Vec::new();
        let mut wanted = Some(self.keys_by_table(keys)?);
        let mut backoff = Backoff::default();
        while let Some(request_items) = wanted.take().filter(|it| !it.is_empty()) {
            let output = self
                .retried(|| async {
                    let request = self.store.client.batch_get_item();
                    request
                        .set_request_items(Some(request_items.clone()))
                        .return_consumed_capacity(ReturnConsumedCapacity::Total)
                        .send()
                        .await
                        .map_err(|error| service_error("BatchGetItem", error))
                })
                .await?;
            self.meter.read(output.consumed_capacity());
            for (table_name, items) in output.responses.unwrap_or_default() {
                for item in items {
                    found.extend(self.keyed(&table_name, &item_from_sdk(&item)?)?);
                }
            }
            wanted = output.unprocessed_keys;
            let is_more = wanted.as_ref().is_some_and(|keys| !keys.is_empty());
            if is_more && !backoff.wait(&self.budget).await {
                return Err(StoreError::TimeOver);
            }
        }
        Ok(found)
    }

    fn keys_by_table(
        &self,
        keys: &[ItemKey],
    ) -> Result<std::collections::HashMap<String, KeysAndAttributes>, StoreError> {
        let mut by_table: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for key in keys {
            let table_name = self.store.catalog.names.name(key.table).to_owned();
            by_table
                .entry(table_name)
                .or_default()
                .push(item_to_sdk(&self.key_item(key)?));
        }
        by_table
            .into_iter()
            .map(|(table_name, keys)| {
                let request = KeysAndAttributes::builder()
                    .set_keys(Some(keys))
                    .consistent_read(true);
                Ok((table_name, request.build()?))
            })
            .collect()
    }

    fn keyed(&self, table_name: &str, item: &Item) -> Result<Option<(ItemKey, Item)>, StoreError> {
        let Some(table) = self.store.catalog.names.table_named(table_name) else {
            return Ok(None);
        };
        let definition = self.store.catalog.definition(table)?;
        Ok(ItemKey::of_item(definition, item).map(|key| (key, item.clone())))
    }

    fn key_item(&self, key: &ItemKey) -> Result<Item, StoreError> {
        let definition = self.store.catalog.definition(key.table)?;
        let partition = (
            definition.partition_key.clone(),
            key.partition.to_attribute_value(),
        );
        let sort = definition
            .sort_key
            .clone()
            .zip(key.sort.as_ref().map(|it| it.to_attribute_value()));
        Ok(std::iter::once(partition).chain(sort).collect())
    }

    /// The item with the greatest sort key of a partition.
    async fn last(
        &self,
        table: Table,
        partition: &KeyValue,
        sort_prefix: &str,
    ) -> Result<Option<Item>, StoreError> {
        let definition = self.store.catalog.definition(table)?;
        let mut request = self
            .store
            .client
            .query()
            .table_name(self.store.catalog.names.name(table))
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", &definition.partition_key)
            .expression_attribute_values(
                ":partition",
                value_to_sdk(&partition.to_attribute_value()),
            )
            .consistent_read(true)
            .scan_index_forward(false)
            .limit(1)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if let Some(sort_key) = definition
            .sort_key
            .as_ref()
            .filter(|_| !sort_prefix.is_empty())
        {
            let prefix = afterimage::AttributeValue::string(sort_prefix);
            request = request
                .key_condition_expression("#partition = :partition AND begins_with(#sort, :prefix)")
                .expression_attribute_names("#sort", sort_key)
                .expression_attribute_values(":prefix", value_to_sdk(&prefix));
        }
        let output = request
            .send()
            .await
            .map_err(|error| service_error("Query", error))?;
        self.meter.read(output.consumed_capacity.as_slice());
        Ok(output.items().first().map(item_from_sdk).transpose()?)
    }

    /// Up to `limit` items that an index holds for a value.
    async fn suggested(
        &self,
        table: Table,
        index: &str,
        partition: &KeyValue,
        limit: usize,
    ) -> Result<Vec<Item>, StoreError> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = self
                .retried(|| self.suggested_page(table, index, partition, start.clone()))
                .await?;
            self.meter.read(page.consumed_capacity.as_slice());
            for item in page.items() {
                items.push(item_from_sdk(item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() || items.len() >= limit {
                items.truncate(limit);
                return Ok(items);
            }
        }
    }

    async fn suggested_page(
        &self,
        table: Table,
        index: &str,
        partition: &KeyValue,
        start: Option<SdkItem>,
    ) -> Result<QueryOutput, StoreError> {
        let definition = self.store.catalog.definition(table)?;
        let attribute = definition
            .indexes
            .iter()
            .find(|it| it.name == index)
            .map_or("", |it| it.partition_key.as_str());
        self.store
            .client
            .query()
            .table_name(self.store.catalog.names.name(table))
            .index_name(index)
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", attribute)
            .expression_attribute_values(
                ":partition",
                value_to_sdk(&partition.to_attribute_value()),
            )
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| service_error("Query", error))
    }

    /// Tries a read until it is answered, as long as trying again can help.
    async fn retried<T, F: Future<Output = Result<T, StoreError>>>(
        &self,
        attempt: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        let mut backoff = Backoff::default();
        loop {
            let error = match self.budget.within(attempt()).await {
                None => return Err(StoreError::TimeOver),
                Some(Ok(answer)) => return Ok(answer),
                Some(Err(error)) => error,
            };
            self.meter.retried();
            if !error.is_passing() || !backoff.wait(&self.budget).await {
                return Err(error);
            }
        }
    }

    /// Commits a transaction, or says why not.
    ///
    /// # Errors
    /// [`StoreError`] where neither trying nor planning again can help now.
    pub(crate) async fn commit(&self, transaction: &Transaction) -> Result<Committed, StoreError> {
        let actions = transaction
            .writes
            .iter()
            .map(|write| {
                let table_name = self.store.catalog.names.name(write.key.table);
                Ok(transact_action(
                    table_name,
                    &self.key_item(&write.key)?,
                    write,
                )?)
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
            Refusal::Contended | Refusal::Unknown | Refusal::Invalid(_) => self.meter.retried(),
        }
    }

    /// Puts the pieces of a parked record, each once.
    ///
    /// # Errors
    /// [`StoreError`] where a piece may not have been put.
    pub(crate) async fn park(&self, record: &ParkedRecord) -> Result<(), StoreError> {
        for (key, item) in record.to_items()? {
            let put = self.retried(|| async {
                let request = self
                    .store
                    .client
                    .put_item()
                    .table_name(self.store.catalog.names.name(key.table))
                    .set_item(Some(item_to_sdk(&item)))
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
            put.await?;
        }
        Ok(())
    }
}

impl StoreError {
    /// Whether trying again may help.
    fn is_passing(&self) -> bool {
        match self {
            StoreError::Service { code, .. } => {
                matches!(meaning_of_code(code), Meaning::Contended | Meaning::Unknown)
                    || code == NO_RESPONSE
            }
            StoreError::Build(_)
            | StoreError::Convert(_)
            | StoreError::Catalog(_)
            | StoreError::Parked(_)
            | StoreError::TimeOver => false,
        }
    }
}

/// The code of a request that ended without an answer.
const NO_RESPONSE: &str = "no response";

fn service_error<E, R>(operation: &'static str, error: SdkError<E, R>) -> StoreError
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let code = match (
        meaning(&error),
        error.as_service_error().and_then(|it| it.code()),
    ) {
        (_, Some(code)) => code.to_owned(),
        (Meaning::Unknown, None) => NO_RESPONSE.to_owned(),
        (_, None) => "request not sent".to_owned(),
    };
    StoreError::Service {
        operation,
        code,
        source: Box::new(error),
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
            .filter_map(|(index, reason)| Some((index, reason.code()?)))
            .filter(|(_, code)| *code != "None")
            .map(|(index, code)| (index, meaning_of_code(code)))
            .collect();
        return refusal_of_reasons(&reasons);
    }
    match meaning(error) {
        Meaning::Changed => Some(Refusal::Changed(Vec::new())),
        Meaning::Contended => Some(Refusal::Contended),
        Meaning::Unknown => Some(Refusal::Unknown),
        Meaning::Invalid => Some(Refusal::Invalid(Vec::new())),
        Meaning::Hopeless => None,
    }
}

/// A changed item outweighs contention, and that an invalid write: each is looked at again once the
/// one before it is out of the way.
fn refusal_of_reasons(reasons: &[(usize, Meaning)]) -> Option<Refusal> {
    let with = |wanted: Meaning| -> Vec<usize> {
        reasons
            .iter()
            .filter(|(_, it)| *it == wanted)
            .map(|(index, _)| *index)
            .collect()
    };
    let (changed, invalid) = (with(Meaning::Changed), with(Meaning::Invalid));
    if !changed.is_empty() {
        Some(Refusal::Changed(changed))
    } else if !with(Meaning::Contended).is_empty() {
        Some(Refusal::Contended)
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
    use super::*;

    #[track_caller]
    fn check(reasons: &[(usize, &str)], expected: Option<Refusal>) {
        let reasons: Vec<_> = reasons
            .iter()
            .map(|(index, code)| (*index, meaning_of_code(code)))
            .collect();
        assert_eq!(refusal_of_reasons(&reasons), expected);
    }

    #[test]
    fn a_cancelled_transaction_means_what_is_most_pressing() {
        check(
            &[(0, "TransactionConflict"), (3, "ConditionalCheckFailed")],
            Some(Refusal::Changed(vec![3])),
        );
        check(
            &[(0, "ValidationError"), (1, "ThrottlingError")],
            Some(Refusal::Contended),
        );
        check(&[(2, "ValidationError")], Some(Refusal::Invalid(vec![2])));
        check(&[(2, "InternalServerError")], Some(Refusal::Unknown));
        check(&[], Some(Refusal::Unknown));
        check(&[(0, "AccessDenied")], None);
    }
}
