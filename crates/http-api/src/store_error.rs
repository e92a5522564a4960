//! What the store answers instead of a result.

use std::error::Error;
use std::fmt::Debug;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use dynamodb_client::meaning;

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

/// Sorts what the SDK said about an operation by what it [means](meaning).
#[must_use]
pub fn store_error<E, R>(operation: &'static str, error: SdkError<E, R>) -> StoreError
where
    E: Error + ProvideErrorMetadata + Send + Sync + 'static,
    R: Debug + Send + Sync + 'static,
{
    let is_passing = meaning(&error).is_passing();
    let source = Box::new(error);
    if is_passing {
        StoreError::Busy { operation, source }
    } else {
        StoreError::Failed { operation, source }
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;
    use lambda_http::http::StatusCode;

    use super::*;
    use crate::ApiError;

    #[track_caller]
    fn check(error: SdkError<PutItemError, ()>, expected: StatusCode) {
        let shown = format!("{error:?}");
        let answer = ApiError::from(store_error("PutItem", error));
        assert_eq!(answer.status(), expected, "{shown}");
    }

    fn answered(metadata: ErrorMetadata) -> SdkError<PutItemError, ()> {
        SdkError::service_error(PutItemError::generic(metadata), ())
    }

    #[test]
    fn what_may_pass_is_503_and_what_cannot_is_500() {
        for (code, expected) in [
            ("ThrottlingException", StatusCode::SERVICE_UNAVAILABLE),
            ("TransactionConflictException", StatusCode::SERVICE_UNAVAILABLE),
            ("InternalServerError", StatusCode::SERVICE_UNAVAILABLE),
            ("ConditionalCheckFailedException", StatusCode::INTERNAL_SERVER_ERROR),
            ("ValidationException", StatusCode::INTERNAL_SERVER_ERROR),
            ("AccessDeniedException", StatusCode::INTERNAL_SERVER_ERROR),
            ("ResourceNotFoundException", StatusCode::INTERNAL_SERVER_ERROR),
        ] {
            check(answered(ErrorMetadata::builder().code(code).build()), expected);
        }
    }

    #[test]
    fn a_store_out_of_reach_is_503() {
        check(SdkError::timeout_error("slow"), StatusCode::SERVICE_UNAVAILABLE);
        check(SdkError::response_error("half an answer", ()), StatusCode::SERVICE_UNAVAILABLE);
        check(answered(ErrorMetadata::builder().build()), StatusCode::SERVICE_UNAVAILABLE);
        check(SdkError::construction_failure("no table"), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
