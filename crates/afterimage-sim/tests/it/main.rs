//! The simulation in CI, and the simulation itself under test.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, with the line where it stopped; canaries are listed"
)]

mod canaries;
mod faults;
mod hot_group;
mod schedules;
mod traces;
