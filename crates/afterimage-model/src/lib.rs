//! The two protocols, the ledger of `count` views and the head of `latest` views, explored
//! exhaustively within bounds.
//!
//! Nothing is written down a second time: the model drives the core's own tasks, one step at a time,
//! against a store in memory, and takes every turn that processors, stream, network, index and
//! application can take. A task is a deterministic function of what it was told, so a state of the
//! model is the store, the stream, and for each processor what its tasks were told so far.

mod action;
mod automaton;
mod bounds;
mod command;
mod deployment;
mod identity;
mod invocation;
mod model;
mod properties;
mod sabotage;
mod scenario;
mod state;
mod verdict;
mod world;

pub use bounds::{Bounds, Extent};
pub use command::{Arguments, run};
pub use deployment::DeploymentError;
pub use model::Model;
pub use properties::Property;
pub use sabotage::Sabotage;
pub use scenario::{Change, Genre, SCENARIOS, Scenario};
pub use verdict::{Finding, Verdict, check};
