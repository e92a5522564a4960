//! The messages Lambdas against the embedded DynamoDB, or another that `AFTERIMAGE_TEST_ENDPOINT` names.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on panics, with the line where it stopped"
)]

mod busy;
mod continuing;
mod conversations;
mod events;
mod gateway;
mod hostile;
mod lambda;
mod listing;
mod profiles;
mod seeding;
mod starting;
