//! `stream-processor`: the Lambda that a table's stream triggers.

use afterimage_dynamodb::Processor;
use lambda_runtime::Error;
use stream_processor::{StreamProcessor, write_to_stdout};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_start::log();
    let processor = lambda_start::start(Processor::of_function(), Processor::first_read).await?;
    StreamProcessor::new(processor, Box::new(write_to_stdout)).serve().await
}
