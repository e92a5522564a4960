//! What the emulator refused.

/// Why the emulator did not do what the simulation itself wants of it.
#[derive(Debug, thiserror::Error)]
#[error("the embedded DynamoDB refused {operation}: {reason}")]
pub struct DynamodbError {
    /// The operation.
    pub operation: String,
    /// What the emulator said.
    pub reason: String,
}
