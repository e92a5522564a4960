//! The embedded DynamoDB.
