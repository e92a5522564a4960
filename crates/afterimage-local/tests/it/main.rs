//! The stack and its parts, over loopback.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails where it stands")]

mod callers;
mod hostile;
mod http;
mod stack;
mod stream_trigger;
