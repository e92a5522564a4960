//! The embedded DynamoDB through the AWS SDK.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test fails where it stands"
)]

mod control_plane;
mod emulator;
mod guarded;
mod streams;
