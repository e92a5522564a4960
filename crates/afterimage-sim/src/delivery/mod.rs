//! The stream trigger of the simulation: shards, lanes, invocations.

mod lane;
mod mapping;
mod shard;
mod stream;

pub use mapping::{Mapping, Terms};
pub use stream::Stream;
