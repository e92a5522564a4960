//! The stream-triggered Lambda: applies a batch, logs one wide event.

use afterimage_dynamodb::{BatchReport, Processor, StreamEvent};

/// Applies a batch before the deadline, and logs one event for the invocation.
pub async fn handle(
    processor: &Processor,
    event: &StreamEvent,
    deadline: tokio::time::Instant,
) -> BatchReport {
    processor.process(event, deadline).await
}
