//! What clients send, well-meant and not: a corpus with a table each, and mutations of it.

#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on panics, with the line where it stopped"
)]

mod bodies;
mod corpus;
mod cursors;
mod queries;
