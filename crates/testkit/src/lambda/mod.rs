//! Runs a function's binary as Lambda does, for tests: as a process of its own, with the environment
//! that Lambda sets and `template.yaml` adds, against a runtime API and a DynamoDB on loopback. What
//! the function does is written down in the order in which it happens, its calls are compared with its
//! permissions, and its log with what is promised of it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "part of tests: what cannot go on panics, and says why"
)]

mod access;
mod dynamodb_proxy;
mod function;
mod insights;
mod journal;
mod log;
mod policy;
mod runtime_api;
mod saved_queries;
mod template;

use std::path::{Path, PathBuf};

pub use access::Access;
pub use dynamodb_proxy::{DynamoDbProxy, FixedAnswer, Hold, HoldAt};
pub use function::{Ended, Function, Pending};
pub use insights::Row;
pub use journal::{Journal, Moment};
pub use runtime_api::FunctionError;
pub use saved_queries::SavedQuery;
pub use template::DeployedFunction;

/// The variable that names a folder of what `.ci/build-lambdas` built, to test it as it is deployed.
pub const BOOTSTRAPS: &str = "AFTERIMAGE_TEST_BOOTSTRAPS";

/// The repository's root.
#[must_use]
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The program to run as a function: the binary that was built with the test, or the `bootstrap` of
/// this binary in the folder that the variable [`BOOTSTRAPS`] names.
#[must_use]
pub fn program(binary: &str, built: &str) -> String {
    match std::env::var(BOOTSTRAPS) {
        Ok(folder) => format!("{folder}/{binary}/bootstrap"),
        Err(_) => built.to_owned(),
    }
}

/// The text of an event of `events/`, such as `api/add-album`.
///
/// # Panics
/// Where there is none of this name.
#[must_use]
pub fn event(name: &str) -> String {
    let path = repository().join("events").join(name).with_extension("json");
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
