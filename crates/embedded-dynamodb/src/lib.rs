//! DynamoDB and DynamoDB Streams on loopback, embedded in the process: for the local stack and for
//! tests. Any AWS client can talk to it, with any credentials and any Region.
//!
//! What differs from AWS: one shard per stream that never closes, no throttling, no transaction
//! conflicts, and always consistent reads.

mod emulator;
mod guarded;
mod stream_counter;
mod stream_records;
mod tables;

pub use emulator::{Emulator, StartError, Storage, TIMEOUTS};
pub use guarded::Guard;
pub use stream_counter::{StreamCountError, StreamCounter};
pub use stream_records::StreamRecordsError;
pub use tables::TableError;
