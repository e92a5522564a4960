//! The command as people run it, and the repository as they find it.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod applications;
mod commands;
mod logs;
mod observed;
mod own_tables;
mod parked;
mod program;
mod record_forms;
mod records_answer;
mod registry;
mod replay;
mod service;
mod status;
mod tidy;
mod undelivered;
mod up;
mod verify;
mod world;
