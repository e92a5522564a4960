//! The benchmark's own workloads and reports. Nothing is timed.
#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on panics, with the line where it stopped"
)]

mod figures;
mod floor;
mod functions;
