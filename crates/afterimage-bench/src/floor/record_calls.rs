//! Writes down the calls of a client.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeSerializationInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;

use crate::BenchError;

/// The calls of one event, in their order.
#[derive(Debug, Clone, Default)]
pub(super) struct Calls {
    pub(super) reads: Vec<Read>,
    pub(super) commits: Vec<TransactWriteItemsInput>,
}

/// A read.
#[derive(Debug, Clone)]
pub(super) enum Read {
    Batch(BatchGetItemInput),
    Query(Box<QueryInput>),
}

impl Read {
    /// Sends it, and drops the answer.
    pub(super) async fn send(self, client: &Client) -> Result<(), BenchError> {
        match self {
            Read::Batch(input) => {
                let request = client.batch_get_item().set_request_items(input.request_items);
                request.send().await.map_err(BenchError::engine)?;
            }
            Read::Query(input) => {
                let request = client
                    .query()
                    .set_table_name(input.table_name)
                    .set_index_name(input.index_name)
                    .set_key_condition_expression(input.key_condition_expression)
                    .set_expression_attribute_names(input.expression_attribute_names)
                    .set_expression_attribute_values(input.expression_attribute_values)
                    .set_exclusive_start_key(input.exclusive_start_key)
                    .set_consistent_read(input.consistent_read)
                    .set_scan_index_forward(input.scan_index_forward)
                    .set_limit(input.limit);
                request.send().await.map_err(BenchError::engine)?;
            }
        }
        Ok(())
    }
}

/// Keeps the calls of the clients that it watches.
#[derive(Debug, Clone, Default)]
pub(super) struct Recorder {
    calls: Arc<Mutex<Calls>>,
}

impl Recorder {
    /// The same client, watched.
    pub(super) fn watch(&self, client: &Client) -> Client {
        Client::from_conf(client.config().to_builder().interceptor(self.clone()).build())
    }

    /// The calls since the last time.
    pub(super) fn take(&self) -> Calls {
        std::mem::take(&mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Intercept for Recorder {
    fn name(&self) -> &'static str {
        "Recorder"
    }

    fn read_before_serialization(
        &self,
        context: &BeforeSerializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let input = context.input();
        if let Some(input) = input.downcast_ref::<TransactWriteItemsInput>() {
            calls.commits.push(input.clone());
        } else if let Some(input) = input.downcast_ref::<BatchGetItemInput>() {
            calls.reads.push(Read::Batch(input.clone()));
        } else if let Some(input) = input.downcast_ref::<QueryInput>() {
            calls.reads.push(Read::Query(Box::new(input.clone())));
        }
        Ok(())
    }
}
