//! The handler on a real DynamoDB, and what it writes.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed"
)]

mod deadline;
mod lambda;
mod lines;
