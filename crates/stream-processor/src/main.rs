//! `stream-processor`: the Lambda that a table's stream triggers.

use std::time::SystemTime;

use afterimage_dynamodb::{Processor, StreamEvent};
use lambda_runtime::{Error, LambdaEvent, service_fn, tracing};
use stream_processor::{Request, StreamProcessor, write_to_stdout};
use tokio::time::Instant;

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let processor = lambda_start::start(Processor::of_function(), Processor::first_read).await?;
    let function = &StreamProcessor::new(processor, Box::new(write_to_stdout));
    lambda_runtime::run(service_fn(move |event: LambdaEvent<StreamEvent>| async move {
        let left = event.context.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        let request = Request {
            function_name: &event.context.env_config.function_name,
            request_id: &event.context.request_id,
            deadline: Instant::now() + left,
        };
        let report = function.handle(&event.payload, request).await;
        Ok::<_, Error>(report.response())
    }))
    .await
}
