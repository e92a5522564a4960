//! The stream trigger: what Lambda's event source mappings do for DynamoDB streams, on one machine
//! (<https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html>).
//!
//! Decisions are pure (`settings`, `filter`, `batch`, `lane`, `acknowledgement`, `retry`,
//! `on_failure`); `delivery`, `shard` and `mapping` are the edge that waits, reads and calls.

mod acknowledgement;
mod backlog;
mod batch;
mod checkpoint;
mod counters;
mod delivery;
mod filter;
mod function;
mod lane;
mod mapping;
mod on_failure;
mod pages;
mod record;
mod retry;
mod settings;
mod shard;
mod source;
mod starvation;
mod stream;

pub use backlog::{Backlog, backlog};
pub use checkpoint::{CheckpointError, CheckpointStore};
pub use counters::Counters;
pub use filter::{FilterError, Filters};
pub use function::{Function, FunctionError, StreamProcessorFunction};
pub use mapping::{Trigger, TriggerParts};
pub use on_failure::{OnFailure, OnFailureError};
pub use record::{SequenceNumber, event_json};
pub(crate) use settings::table_of_resource;
pub use settings::{MappingSettings, SettingsError, StartingPosition, TableMapping, read_settings};
pub use source::EventSource;
pub use starvation::{Starvation, starved, starved_by_template};
pub use stream::StreamError;

/// Tells the wall-clock time: given as an argument, so that tests decide it.
pub type Clock = fn() -> time::OffsetDateTime;
