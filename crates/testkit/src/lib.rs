//! Support for tests. It links nothing of the engine, so that a test compares the engine with something else
//! than itself: of the product's crates it knows the names and keys of tables, and the embedded DynamoDB.

#[cfg(feature = "dynamodb")]
pub mod dynamodb;
#[cfg(feature = "lambda")]
pub mod lambda;
pub mod oracle;
pub mod stream_record;
