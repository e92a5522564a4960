//! What the store answers instead of a result.

use std::error::Error;
use std::fmt::Debug;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// The codes of DynamoDB that go away by themselves
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>).
const BUSY_CODES: [&str; 8] = [
    "InternalServerError",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
    "TransactionConflictException",
    "TransactionInProgressException",
];

/// A failure of the store. What DynamoDB said is the source; the sentence says where.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Throttled, in conflict or out of reach, after the retries: it may succeed later.
    #[error("{operation} met a busy store")]
    Busy {
        /// The operation.
        operation: &'static str,
        /// What the SDK said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// It cannot succeed as it is.
    #[error("{operation} failed")]
    Failed {
        /// The operation.
        operation: &'static str,
        /// What the SDK said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// An item that is not as it must be.
    #[error("the item with {key} of table {table} has no valid attribute `{attribute}`")]
    Malformed {
        /// The table's real name.
        table: String,
        /// The item's key, as `pk "a", sk "b"`.
        key: String,
        /// The attribute that is absent or wrong.
        attribute: String,
    },
}

/// Sorts what the SDK said about an operation.
#[must_use]
pub fn store_error<E, R>(operation: &'static str, error: SdkError<E, R>) -> StoreError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let busy = match &error {
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            true
        }
        SdkError::ServiceError(service) => {
            service.err().code().is_some_and(|code| BUSY_CODES.contains(&code))
        }
        // The SDK's enum is open; what cannot be built or is unknown does not pass by waiting.
        _ => false,
    };
    let source = Box::new(error);
    if busy {
        StoreError::Busy { operation, source }
    } else {
        StoreError::Failed { operation, source }
    }
}
