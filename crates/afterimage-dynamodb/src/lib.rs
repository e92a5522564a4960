//! The engine on DynamoDB.

mod processor;
mod report;

pub use processor::{Processor, ProcessorError, StreamEvent};
pub use report::{BatchReport, RecordReport};
