//! The albums Lambdas against the embedded DynamoDB.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on panics, with the line where it stopped"
)]

mod changes;
mod events;
mod gateway;
mod genres;
mod listing;
mod writing;
