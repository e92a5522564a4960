//! The registry: which views are maintained, and by which definition.
//!
//! It stands in `derived` ([`DerivedKey`](crate::keys::DerivedKey)). What a view has written was written under
//! the definition that is registered; a views file with another definition changes nothing by itself. So a
//! ledger and the counts above it are never of two definitions.

mod definition;
mod difference;
mod enrolment;
mod item;
mod maintained;
mod usable;

pub use definition::{CONTRIBUTION_VERSION, Definition, DefinitionError, Fingerprint};
pub use difference::{Difference, differences};
pub use enrolment::{Refused, Standing, VIEW_COUNT_MAX, enrol, enrol_unseen};
pub use item::{LAYOUT_VERSION, Registration, Registry, RegistryError, State};
pub use maintained::{Maintained, MaintainedError, OwnViews, Unreadable};
