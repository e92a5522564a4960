//! The pure core: it decides what a record of a stream does to derived items, and never reads,
//! writes, waits or looks at a clock itself.

pub mod attribute_value;
pub mod canary;
pub mod count;
pub mod fold;
pub mod key;
pub mod latest;
pub mod limits;
pub mod number;
mod outcome;
pub mod parked;
mod reason;
pub mod record;
pub mod verify;
pub mod version;
pub mod view;
pub mod write;

pub use attribute_value::{AttributeValue, Item};
pub use key::{ItemKey, KeyValue};
pub use outcome::Outcome;
pub use reason::reason;
pub use record::{Catalog, CatalogError, Change, Decoded, Record, decode};
pub use view::{View, Views, ViewsError};
