//! The DynamoDB of one run: empty, in memory, over HTTP, so that no run finds what another left.

use std::collections::{BTreeMap, HashMap};

use afterimage::Views;
use afterimage_dynamodb::{Processor, TIMEOUTS};
use afterimage_schema::{Table, TableNames};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{AttributeValue, PutRequest, WriteRequest};
use dynamodb_client::client_at_endpoint;
use embedded_dynamodb::Emulator;

use crate::BenchError;
use crate::workload::{MESSAGES, SourceItem};

/// Items of one `BatchWriteItem`
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html>).
const BATCH_WRITE_ITEMS_MAX: usize = 25;

/// An embedded DynamoDB with the product's tables. Dropping it stops it.
#[derive(Debug)]
pub struct Engine {
    emulator: Emulator,
    views: Views,
    names: TableNames,
}

impl Engine {
    /// An empty one.
    ///
    /// # Errors
    /// [`BenchError`] where it does not start.
    pub async fn start() -> Result<Self, BenchError> {
        let emulator = Emulator::in_memory().await.map_err(BenchError::engine)?;
        let views = Views::compiled_in().map_err(BenchError::engine)?;
        let tables = views.all_tables();
        let names = TableNames::defaults(&tables).map_err(BenchError::engine)?;
        emulator.create_tables(&tables, &names).await.map_err(BenchError::engine)?;
        Ok(Self { emulator, views, names })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> String {
        self.emulator.endpoint_url()
    }

    /// The tables' names.
    #[must_use]
    pub fn names(&self) -> &TableNames {
        &self.names
    }

    /// A processor of the product's views that talks through this client.
    ///
    /// # Errors
    /// [`BenchError`] if a table has no name.
    pub fn processor(&self, client: Client) -> Result<Processor, BenchError> {
        let processor = Processor::new(client, self.views.clone(), self.names.clone());
        processor.map_err(BenchError::engine)
    }

    /// A client as the processor has it.
    #[must_use]
    pub fn client(&self) -> Client {
        client_at_endpoint(&self.url(), TIMEOUTS)
    }

    /// Puts items, as the application would have before the records of the workload came.
    ///
    /// # Errors
    /// [`BenchError`] where one is not put.
    pub async fn put_all(&self, items: &[SourceItem]) -> Result<(), BenchError> {
        let client = self.client();
        for chunk in items.chunks(BATCH_WRITE_ITEMS_MAX) {
            let mut requests: BTreeMap<Table, Vec<WriteRequest>> = BTreeMap::new();
            for (table, item) in chunk {
                let put = PutRequest::builder().set_item(Some(sdk_item(item)));
                let put = put.build().map_err(BenchError::engine)?;
                let request = WriteRequest::builder().put_request(put).build();
                requests.entry(table.clone()).or_default().push(request);
            }
            let mut by_name = HashMap::new();
            for (table, requests) in requests {
                by_name.insert(self.name(&table)?, requests);
            }
            let write = client.batch_write_item().set_request_items(Some(by_name));
            let left = write.send().await.map_err(BenchError::engine)?.unprocessed_items;
            if left.is_some_and(|left| !left.is_empty()) {
                return Err(BenchError::State { what: "the engine did not take all items" });
            }
        }
        Ok(())
    }

    /// The counts by genre.
    ///
    /// # Errors
    /// [`BenchError`] where they cannot be read.
    pub async fn counts(&self) -> Result<BTreeMap<String, i64>, BenchError> {
        let items = self.partition(&Table::DERIVED, "albums-by-genre").await?;
        let count = |item: &BTreeMap<String, String>| {
            Some((item.get("sk")?.clone(), item.get("count")?.parse().ok()?))
        };
        let counts: Option<BTreeMap<_, _>> = items.iter().map(count).collect();
        counts.ok_or(BenchError::State { what: "a derived count cannot be read" })
    }

    /// The rows of an owner: their texts and numbers by name.
    ///
    /// # Errors
    /// [`BenchError`] where they cannot be read.
    pub async fn rows(&self, owner: &str) -> Result<Vec<BTreeMap<String, String>>, BenchError> {
        self.partition(&MESSAGES, &format!("GRP#{owner}")).await
    }

    fn name(&self, table: &Table) -> Result<String, BenchError> {
        self.names.name(table).map(str::to_owned).map_err(BenchError::engine)
    }

    async fn partition(
        &self,
        table: &Table,
        partition: &str,
    ) -> Result<Vec<BTreeMap<String, String>>, BenchError> {
        let pages = self
            .client()
            .query()
            .table_name(self.name(table)?)
            .key_condition_expression("pk = :pk")
            .expression_attribute_values(":pk", AttributeValue::S(partition.to_owned()))
            .consistent_read(true)
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .map_err(BenchError::engine)?;
        let text = |(name, value)| match value {
            AttributeValue::S(text) | AttributeValue::N(text) => Some((name, text)),
            _ => None,
        };
        Ok(pages.into_iter().map(|item| item.into_iter().filter_map(text).collect()).collect())
    }
}

fn sdk_item(item: &BTreeMap<String, String>) -> HashMap<String, AttributeValue> {
    item.iter().map(|(name, text)| (name.clone(), AttributeValue::S(text.clone()))).collect()
}
