//! The protocols against a store in memory, interleaved step by step: no SDK, no waiting.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on panics, with the line where it stopped"
)]

mod application;
mod hostile;
mod interleavings;
mod store;
