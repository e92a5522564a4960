//! DynamoDB and DynamoDB Streams on loopback, embedded in the process: for the local stack and for
//! tests. Any AWS client can talk to it, with any credentials and any Region.
//!
//! Its streams keep to AWS's rules: an open shard has no end, a write that changes nothing makes no record, and items
//! expire. What clients ask of a table when they bind a model to it is answered as AWS does for an ordinary table.
//!
//! What differs from AWS: one shard per stream that never closes, no throttling, no transaction
//! conflicts, and always consistent reads. Items expire within a minute, also those that expired more than five
//! years ago, which AWS keeps. An operation that is not there gets an `UnknownOperationException` that names it; AWS's
//! has no message. `upstream/` has patches for the emulator's own project, and what each makes superfluous here.

mod emulator;
mod expiry;
mod front;
mod guard;
mod stream_counter;
mod stream_records;
mod tables;
mod unchanged_writes;

pub use emulator::{Emulator, StartError, Storage, TIMEOUTS};
pub use expiry::ExpiryError;
pub use guard::Guard;
pub use stream_counter::{StreamCountError, StreamCounter};
pub use stream_records::StreamRecordsError;
pub use tables::TableError;
