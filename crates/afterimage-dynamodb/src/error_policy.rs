//! One table says what each error means for the work that met it.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A condition did not hold: read again, and plan again.
    Changed,
    /// No capacity, or another transaction at the same items: wait, and try again.
    Contended,
    /// The request may have been carried out: look, and go on from there.
    Unknown,
    /// The request can never be carried out.
    Invalid,
    /// Nothing can be done here and now: the records have to be delivered again.
    Hopeless,
}

/// The meaning of an error code, of a request or of one action of a cancelled transaction
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html>,
/// <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html>).
/// An unknown code is hopeless: it is reported, and comes again.
pub(crate) fn meaning_of_code(code: &str) -> Meaning {
    match code {
        "ConditionalCheckFailed" | "ConditionalCheckFailedException" => Meaning::Changed,
        "TransactionConflict"
        | "TransactionConflictException"
        | "TransactionInProgressException"
        | "ProvisionedThroughputExceeded"
        | "ProvisionedThroughputExceededException"
        | "ThrottlingError"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "LimitExceededException" => Meaning::Contended,
        "InternalServerError"
        | "InternalFailure"
        | "ServiceUnavailable"
        | "ServiceUnavailableException"
        | "IdempotentParameterMismatchException" => Meaning::Unknown,
        "ValidationError"
        | "ValidationException"
        | "ItemCollectionSizeLimitExceeded"
        | "ItemCollectionSizeLimitExceededException" => Meaning::Invalid,
        _ => Meaning::Hopeless,
    }
}

/// The meaning of an error of the SDK.
pub(crate) fn meaning<E, R>(error: &SdkError<E, R>) -> Meaning
where
    E: ProvideErrorMetadata + Error + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) => Meaning::Hopeless,
        SdkError::TimeoutError(_) | SdkError::DispatchFailure(_) | SdkError::ResponseError(_) => {
            Meaning::Unknown
        }
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) => meaning_of_code(code),
            // An answer without a code is an error page of something in between.
            None => Meaning::Unknown,
        },
        _ => Meaning::Hopeless,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cancellation_code_has_its_meaning() {
        for (code, expected) in [
            ("ConditionalCheckFailed", Meaning::Changed),
            ("TransactionConflict", Meaning::Contended),
            ("ProvisionedThroughputExceeded", Meaning::Contended),
            ("ThrottlingError", Meaning::Contended),
            ("ValidationError", Meaning::Invalid),
            ("ItemCollectionSizeLimitExceeded", Meaning::Invalid),
            ("InternalServerError", Meaning::Unknown),
            ("AccessDeniedException", Meaning::Hopeless),
            ("ResourceNotFoundException", Meaning::Hopeless),
            ("SomethingNew", Meaning::Hopeless),
        ] {
            assert_eq!(meaning_of_code(code), expected, "{code}");
        }
    }
}
