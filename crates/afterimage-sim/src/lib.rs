//! A seeded simulation: the real engine and the real SDK over the emulator, in virtual time, under
//! every fault that the stream, the network and the clock can make.
#![allow(
    clippy::indexing_slicing,
    reason = "of JSON of the simulation's own making: an absent member reads as null"
)]

mod actors;
mod canary;
mod check;
pub mod command;
mod delivery;
mod dynamodb;
mod run;
mod schedule;
mod search;
mod shrink;
mod trace;
mod world;
mod world_error;

pub use canary::Canary;
pub use check::Violation;
pub use dynamodb::{
    Dynamodb, DynamodbError, Fault, FaultRates, ItemError, TransactionTime, Watcher, client,
};
pub use run::{RunError, Verdict, run};
pub use schedule::{Action, Schedule, Step};
pub use search::{Found, Search, search};
pub use shrink::shrink;
pub use trace::Trace;
pub use world_error::WorldError;
