//! The stream trigger of the simulation: shards, lanes, invocations.

mod lane;
mod mapping;
mod stream;

pub use mapping::{Delivered, Mapping};
pub use stream::Stream;
