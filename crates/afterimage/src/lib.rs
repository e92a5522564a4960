//! The pure core: it decides what a record of a stream does to derived items, and never reads,
//! writes, waits or looks at a clock itself.

pub mod attribute_value;
pub mod batch;
pub mod canary;
pub mod catalog;
mod checked_text;
pub mod count;
pub mod engine;
pub mod fold;
mod group_name;
pub mod key;
pub mod keys;
pub mod latest;
pub mod limits;
pub mod number;
mod outcome;
mod owner_name;
pub mod parked;
mod reason;
pub mod record;
pub mod registry;
pub mod selection;
pub mod verify;
pub mod version;
mod view_name;
pub mod views;
pub mod write;

pub use attribute_value::{AttributeValue, Item};
pub use catalog::{Catalog, CatalogError};
pub use group_name::{GroupName, GroupNameError};
pub use key::{ItemKey, KeyValue};
pub use outcome::Outcome;
pub use owner_name::{OwnerName, OwnerNameError};
pub use reason::reason;
pub use record::{Change, Decoded, Record, decode};
pub use view_name::{ViewName, ViewNameError};
pub use views::{View, ViewError, Views, ViewsError};
