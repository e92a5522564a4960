//! The albums Lambdas against the embedded DynamoDB, or another that `AFTERIMAGE_TEST_ENDPOINT` names.

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
mod hostile;
mod lambda;
mod listing;
mod lost_responses;
mod writing;
