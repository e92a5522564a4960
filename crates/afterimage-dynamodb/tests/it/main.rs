//! The engine against the embedded DynamoDB, or another that `AFTERIMAGE_TEST_ENDPOINT` names, through
//! the real SDK and the streams of that DynamoDB.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on panics, with the line where it stopped"
)]

mod batches;
mod counts;
mod faults;
mod histories;
mod hostile;
mod races;
mod registry;
mod rows;
mod verify;
mod world;
