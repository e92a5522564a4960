//! Scans and partitions: many items, a page at a time, read consistently.

use std::collections::HashMap;

use afterimage::{AttributeValue, Item};
use afterimage_schema::Table;
use aws_sdk_dynamodb::types::ReturnConsumedCapacity;
use futures::stream::{StreamExt as _, TryStreamExt as _};

use super::{Session, StoreError, service_error};
use crate::convert::{SdkItem, item_from_sdk, value_to_sdk};

/// What a scan asks for.
#[derive(Debug, Clone)]
pub(crate) struct Scan {
    pub table: Table,
    /// The attributes that are wanted; all of them where it is empty.
    pub attributes: Vec<String>,
    /// What the partition key begins with; anything where it is empty.
    pub prefixes: Vec<String>,
    /// How many segments are read at once, 1 at least.
    pub segment_count: u32,
}

/// A page of a scan.
#[derive(Debug)]
pub(crate) struct Page {
    pub items: Vec<Item>,
    /// Items that were read for it, those without a wanted prefix included.
    pub scanned_count: u64,
}

impl Session<'_> {
    /// Reads a table, every item once, and gives each page to `on_page`.
    ///
    /// # Errors
    /// [`StoreError`] where a page could not be read, or of `on_page`.
    pub(crate) async fn scan(
        &self,
        scan: &Scan,
        on_page: impl AsyncFn(Page) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let (on_page, mut segments) = (&on_page, Vec::new());
        for segment in 0..scan.segment_count.max(1) {
            segments.push(async move {
                let mut start = None;
                loop {
                    let read = || self.page(scan, segment, start.clone());
                    let (page, next) = self.retried(read).await?;
                    on_page(page).await?;
                    start = next;
                    if start.is_none() {
                        return Ok::<(), StoreError>(());
                    }
                }
            });
        }
        let at_once = segments.len();
        futures::stream::iter(segments).buffer_unordered(at_once).try_collect().await
    }

    async fn page(
        &self,
        scan: &Scan,
        segment: u32,
        start: Option<SdkItem>,
    ) -> Result<(Page, Option<SdkItem>), StoreError> {
        let definition = self.store.catalog.definition(&scan.table)?;
        let mut names = HashMap::new();
        let projection = scan.attributes.iter().enumerate().map(|(number, name)| {
            names.insert(format!("#a{number}"), name.clone());
            format!("#a{number}")
        });
        let projection = projection.collect::<Vec<_>>().join(", ");
        let mut values = HashMap::new();
        let filters = scan.prefixes.iter().enumerate().map(|(number, prefix)| {
            let prefix = AttributeValue::string(prefix);
            values.insert(format!(":p{number}"), value_to_sdk(&prefix));
            format!("begins_with(#partition, :p{number})")
        });
        let filter = filters.collect::<Vec<_>>().join(" OR ");
        if !filter.is_empty() {
            names.insert("#partition".to_owned(), definition.partition_key.clone());
        }
        let segment_count = scan.segment_count.max(1);
        let output = self
            .store
            .client
            .scan()
            .table_name(self.store.catalog.name(&scan.table)?)
            .consistent_read(true)
            .set_segment(Some(i32::try_from(segment).unwrap_or(i32::MAX)))
            .set_total_segments(Some(i32::try_from(segment_count).unwrap_or(i32::MAX)))
            .set_projection_expression(Some(projection).filter(|it| !it.is_empty()))
            .set_filter_expression(Some(filter).filter(|it| !it.is_empty()))
            .set_expression_attribute_names(Some(names).filter(|it| !it.is_empty()))
            .set_expression_attribute_values(Some(values).filter(|it| !it.is_empty()))
            .set_exclusive_start_key(start)
            .return_consumed_capacity(ReturnConsumedCapacity::Total)
            .send()
            .await
            .map_err(|error| service_error("Scan", error))?;
        self.meter.read(output.consumed_capacity.as_slice());
        let items = output.items.ok_or(StoreError::Answer)?;
        let items = items.iter().map(item_from_sdk).collect::<Result<_, _>>()?;
        let scanned_count = u64::try_from(output.scanned_count).unwrap_or(0);
        Ok((Page { items, scanned_count }, output.last_evaluated_key))
    }

    /// Every item of a partition of `derived`.
    ///
    /// # Errors
    /// [`StoreError`] where a page could not be read.
    pub(crate) async fn partition(&self, partition: &str) -> Result<Vec<Item>, StoreError> {
        let table_name = self.store.catalog.name(&Table::DERIVED)?;
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let page = self.retried(|| async {
                self.store
                    .client
                    .query()
                    .table_name(table_name)
                    .key_condition_expression("pk = :partition")
                    .expression_attribute_values(
                        ":partition",
                        value_to_sdk(&AttributeValue::string(partition)),
                    )
                    .consistent_read(true)
                    .set_exclusive_start_key(start.clone())
                    .return_consumed_capacity(ReturnConsumedCapacity::Total)
                    .send()
                    .await
                    .map_err(|error| service_error("Query", error))
            });
            let page = page.await?;
            self.meter.read(page.consumed_capacity.as_slice());
            for item in page.items.ok_or(StoreError::Answer)? {
                items.push(item_from_sdk(&item)?);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return Ok(items);
            }
        }
    }
}
