//! The engine on DynamoDB: takes a stream event, does what the core decides, and reports.

mod budget;
mod client;
mod convert;
mod drive;
mod expression;
mod meter;
mod pace;
mod parked;
mod processor;
mod registry;
mod report;
mod set_back;
mod store;
mod verify;
mod views_file;

pub use client::TIMEOUTS;
pub use convert::ConvertError;
pub use meter::Consumption;
pub use parked::{ParkedRecords, Removed};
pub use processor::{Processor, ProcessorError, Retried, RetryError, StreamEvent};
pub use registry::{FileRegistration, RegisterError, RegistryUseError};
pub use report::{BatchReport, RecordReport};
pub use set_back::SetBack;
pub use store::StoreError;
pub use verify::{Verification, VerifyOptions, ViewReport};
pub use views_file::{VIEWS_VARIABLE, ViewsFile, ViewsFileError};
