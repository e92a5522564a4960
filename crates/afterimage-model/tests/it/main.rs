//! The model, explored within small bounds, and shown to see what is deliberately wrong.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on panics, with the line where it stopped"
)]

mod command;
mod exhaustive;
mod sabotage;
