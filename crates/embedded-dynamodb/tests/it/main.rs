//! The embedded DynamoDB through the AWS SDK.
#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails where it stands")]

mod emulator;
mod guarded;
