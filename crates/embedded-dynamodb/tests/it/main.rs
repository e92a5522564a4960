//! The embedded DynamoDB through the AWS SDK.

mod emulator;
