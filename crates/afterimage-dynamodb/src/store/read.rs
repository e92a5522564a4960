//! Reads: always consistent, except to ask an index for suggestions.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use afterimage::engine::{Answer, Read};
use afterimage::{AttributeValue, Item, ItemKey, KeyValue};
use afterimage_schema::Table;
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::{Session, StoreError, service_error};
use crate::convert::{SdkItem, item_from_sdk, item_to_sdk, value_to_sdk};

/// Keys in one `BatchGetItem`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html>).
const BATCH_GET_KEYS_MAX: usize = 100;

/// Requests of one batch that are under way at once.
const CONCURRENT_REQUESTS: usize = 8;

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
                Read::Last { table, partition, sort_prefix, before } => {
                    let before = before.as_ref();
                    let last = || self.last(table, partition, sort_prefix, before);
                    let item = self.retried(last).await?;
                    answers.push((read, Answer::Item(item)));
                }
                Read::Suggested { table, index, partition, limit } => {
                    let items = self.suggested(table, index, partition, *limit).await?;
                    answers.push((read, Answer::Suggested(items)));
                }
            }
        }
        let items = self.items(keys).await?;
        answers.extend(items.into_iter().map(|(key, item)| (Read::Item(key), Answer::Item(item))));
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
        items.extend(found.into_iter().flatten().map(|(key, item)| (key, Some(item))));
        Ok(items)
    }

    /// Whether a table, by its real name, has an item.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be read.
    pub(crate) async fn first_item(&self, table_name: &str) -> Result<bool, StoreError> {
        let page = self.retried(|| async {
            let request = self.store.client.scan().table_name(table_name);
            request
                .consistent_read(true)
                .limit(1)
                .return_consumed_capacity(ReturnConsumedCapacity::Total)
                .send()
                .await
                .map_err(|error| service_error("Scan", error))
        });
        let page = page.await?;
        self.meter.read(page.consumed_capacity.as_slice());
        Ok(!page.items.ok_or(StoreError::Answer)?.is_empty())
    }

    async fn batch_get(&self, keys: &[ItemKey]) -> Result<Vec<(ItemKey, Item)>, StoreError> {
        let mut found = Vec::new();
        let mut wanted = Some(self.keys_by_table(keys)?);
        let mut backoff = self.budget.backoff();
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
            let responses = output.responses.ok_or(StoreError::Answer)?;
            let unprocessed = output.unprocessed_keys.as_ref();
            let is_left = |table_name| unprocessed.is_some_and(|it| it.contains_key(table_name));
            // A table none of whose items are there is answered with an empty list.
            if !request_items.keys().all(|it| responses.contains_key(it) || is_left(it)) {
                return Err(StoreError::Answer);
            }
            for (table_name, items) in responses {
                for item in items {
                    found.push(self.keyed(&table_name, item_from_sdk(&item)?)?);
                }
            }
            wanted = output.unprocessed_keys;
            let is_more = wanted.as_ref().is_some_and(|keys| !keys.is_empty());
            if is_more && !backoff.wait().await {
                return Err(StoreError::TimeOver);
            }
        }
        Ok(found)
    }

    fn keys_by_table(
        &self,
        keys: &[ItemKey],
    ) -> Result<HashMap<String, KeysAndAttributes>, StoreError> {
        let mut by_table: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for key in keys {
            let table_name = self.store.catalog.name(&key.table)?.to_owned();
            by_table.entry(table_name).or_default().push(item_to_sdk(&self.key_item(key)?));
        }
        by_table
            .into_iter()
            .map(|(table_name, keys)| {
                let request =
                    KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(true);
                Ok((table_name, request.build()?))
            })
            .collect()
    }

    fn keyed(&self, table_name: &str, item: Item) -> Result<(ItemKey, Item), StoreError> {
        let table = self.store.catalog.names().table_named(table_name);
        let definition = self.store.catalog.definition(table.ok_or(StoreError::Answer)?)?;
        let key = ItemKey::of_item(definition, &item).ok_or(StoreError::Answer)?;
        Ok((key, item))
    }

    /// The item with the greatest sort key of a partition.
    async fn last(
        &self,
        table: &Table,
        partition: &KeyValue,
        sort_prefix: &str,
        before: Option<&ItemKey>,
    ) -> Result<Option<Item>, StoreError> {
        let definition = self.store.catalog.definition(table)?;
        let mut request = self
            .store
            .client
            .query()
            .table_name(self.store.catalog.name(table)?)
            .key_condition_expression("#partition = :partition")
            .expression_attribute_names("#partition", &definition.partition_key)
            .expression_attribute_values(
                ":partition",
                value_to_sdk(&partition.to_attribute_value()),
            )
            .consistent_read(true)
            .scan_index_forward(false)
            .set_exclusive_start_key(before.map(|key| item_to_sdk(&key.to_item(definition))))
            .limit(1)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        if let Some(sort_key) = definition.sort_key.as_ref().filter(|_| !sort_prefix.is_empty()) {
            let prefix = AttributeValue::string(sort_prefix);
            request = request
                .key_condition_expression("#partition = :partition AND begins_with(#sort, :prefix)")
                .expression_attribute_names("#sort", sort_key)
                .expression_attribute_values(":prefix", value_to_sdk(&prefix));
        }
        let output = request.send().await.map_err(|error| service_error("Query", error))?;
        self.meter.read(output.consumed_capacity.as_slice());
        let items = output.items.ok_or(StoreError::Answer)?;
        Ok(items.first().map(item_from_sdk).transpose()?)
    }

    /// Up to `limit` items that an index holds for a value.
    async fn suggested(
        &self,
        table: &Table,
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
            for item in page.items.ok_or(StoreError::Answer)? {
                items.push(item_from_sdk(&item)?);
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
        table: &Table,
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
            .table_name(self.store.catalog.name(table)?)
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
}
