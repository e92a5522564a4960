//! The whole product on one machine: an embedded DynamoDB, the stream trigger with the semantics of
//! Lambda's event source mappings, and an HTTP gateway in front of the functions' handlers.

mod applications;
mod callers;
mod durable_file;
pub mod event_source_mapping;
mod gateway;
mod logs;
mod permissions;
mod stack;
mod status;
mod template;

pub use callers::{AllowedHost, AllowedOrigin, CallerNameError, Callers};
pub use gateway::KeyError;
pub use logs::install as install_logs;
pub use permissions::{Permissions, permissions_by_template};
pub use stack::{Options, Stack, StartError, Storage, function_log};
pub use status::Outcomes;
