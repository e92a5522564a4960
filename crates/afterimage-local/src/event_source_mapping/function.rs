//! The function that a mapping calls.

use std::sync::Arc;

use afterimage_dynamodb::{Processor, StreamEvent};
use serde_json::Value;
use stream_processor::{Request, StreamProcessor};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use crate::logs::{INVOCATION_TARGET, write_function_line};
use crate::status::Outcomes;

/// What the stack's processor is called in its lines.
const FUNCTION_NAME: &str = "StreamProcessor";

/// A function as Lambda runs it: an event in, a response out.
pub trait Function: Send + Sync + 'static {
    /// Handles an event. It is dropped at the deadline, at any point where it waits. A panic counts
    /// as a function error of this invocation alone.
    ///
    /// # Errors
    /// [`FunctionError`]; the whole batch has failed then.
    fn invoke(
        &self,
        payload: String,
        deadline: Instant,
    ) -> impl Future<Output = Result<Value, FunctionError>> + Send;
}

/// Why an invocation has no response.
#[derive(Debug, thiserror::Error)]
pub enum FunctionError {
    /// The event, or the response, is not the JSON that it should be.
    #[error("the function could not read its event or write its response")]
    Json(#[from] serde_json::Error),
    /// The function returned an error.
    #[error("the function failed: {message}")]
    Failed {
        /// What it said.
        message: String,
    },
    /// It did not return in time.
    #[error("the function timed out")]
    TimedOut,
    /// It panicked.
    #[error("the function panicked")]
    Panicked,
}

/// The stream processor, in this process.
#[derive(Debug)]
pub struct StreamProcessorFunction {
    function: StreamProcessor,
    outcomes: Arc<Outcomes>,
}

impl StreamProcessorFunction {
    /// The processor, whose outcomes are counted there; its lines go to the functions' log.
    #[must_use]
    pub fn new(processor: Processor, outcomes: Arc<Outcomes>) -> Self {
        let function = StreamProcessor::new(processor, Box::new(write_function_line));
        Self { function, outcomes }
    }
}

impl Function for StreamProcessorFunction {
    async fn invoke(&self, payload: String, deadline: Instant) -> Result<Value, FunctionError> {
        let event: StreamEvent = serde_json::from_str(&payload)?;
        let request_id = Uuid::new_v4().to_string();
        let span = tracing::info_span!(
            target: INVOCATION_TARGET, "invoke", requestId = request_id,
            function = FUNCTION_NAME
        );
        let request = Request { function_name: FUNCTION_NAME, request_id: &request_id, deadline };
        let handled = self.function.handle(&event, request);
        let report = Box::pin(handled.instrument(span)).await;
        self.outcomes.count(&report);
        Ok(serde_json::to_value(report.response())?)
    }
}

/// Calls a function as Lambda would: alone in its task, up to the deadline.
pub(super) async fn call<F: Function>(
    function: &Arc<F>,
    payload: String,
    deadline: Instant,
) -> Result<Value, FunctionError> {
    let function = Arc::clone(function);
    let mut task = tokio::spawn(async move { function.invoke(payload, deadline).await });
    match tokio::time::timeout_at(deadline, &mut task).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(FunctionError::Panicked),
        Err(_) => {
            task.abort();
            Err(FunctionError::TimedOut)
        }
    }
}
