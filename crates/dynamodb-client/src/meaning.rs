//! One table says what each error means for the work that met it.

use std::error::Error;

use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::CancellationReason;

/// What an error means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    /// A condition did not hold: read again, and plan again.
    Changed,
    /// Another writer was at the same items: wait, and try again.
    Contended,
    /// No capacity: wait, and try again.
    Throttled,
    /// The request may have been carried out: look, and go on from there.
    Unknown,
    /// The request can never be carried out.
    Invalid,
    /// Nothing can be done here and now: the work has to come again.
    Hopeless,
}

impl Meaning {
    /// Whether the same request may succeed later. One that is [`Meaning::Unknown`] is repeated only where
    /// doing it twice is doing it once.
    #[must_use]
    pub const fn is_passing(self) -> bool {
        match self {
            Self::Contended | Self::Throttled | Self::Unknown => true,
            Self::Changed | Self::Invalid | Self::Hopeless => false,
        }
    }
}

/// The meaning of an error code, of a request or of one action of a cancelled transaction:
/// [codes of every request](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html),
/// [codes of DynamoDB](https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html),
/// [reasons of a cancellation](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html),
/// [conflicts between Regions](https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_PutItem.html).
///
/// An unknown code is hopeless: it is reported, and the work comes again.
#[must_use]
pub fn meaning_of_code(code: &str) -> Meaning {
    match code {
        "ConditionalCheckFailed" | "ConditionalCheckFailedException" => Meaning::Changed,
        "TransactionConflict"
        | "TransactionConflictException"
        | "TransactionInProgressException"
        | "ReplicatedWriteConflictException" => Meaning::Contended,
        "ProvisionedThroughputExceeded"
        | "ProvisionedThroughputExceededException"
        | "ThrottlingError"
        | "ThrottlingException"
        | "Throttling"
        | "RequestLimitExceeded"
        | "LimitExceededException" => Meaning::Throttled,
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

/// The meaning of the reason that a cancelled transaction gives for one action; `None` for an action that
/// stood in nobody's way.
#[must_use]
pub fn meaning_of_reason(reason: &CancellationReason) -> Option<Meaning> {
    reason.code().filter(|code| *code != "None").map(meaning_of_code)
}

/// The meaning of an error of the SDK. That of a cancelled transaction lies in its reasons
/// ([`meaning_of_reason`]).
#[must_use]
pub fn meaning<E, R>(error: &SdkError<E, R>) -> Meaning
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
    use aws_sdk_dynamodb::error::ErrorMetadata;
    use aws_sdk_dynamodb::operation::put_item::PutItemError;

    use super::*;

    /// The whole table.
    const CODES: [(Meaning, &[&str]); 6] = [
        (Meaning::Changed, &["ConditionalCheckFailed", "ConditionalCheckFailedException"]),
        (
            Meaning::Contended,
            &[
                "TransactionConflict",
                "TransactionConflictException",
                "TransactionInProgressException",
                "ReplicatedWriteConflictException",
            ],
        ),
        (
            Meaning::Throttled,
            &[
                "ProvisionedThroughputExceeded",
                "ProvisionedThroughputExceededException",
                "ThrottlingError",
                "ThrottlingException",
                "Throttling",
                "RequestLimitExceeded",
                "LimitExceededException",
            ],
        ),
        (
            Meaning::Unknown,
            &[
                "InternalServerError",
                "InternalFailure",
                "ServiceUnavailable",
                "ServiceUnavailableException",
                "IdempotentParameterMismatchException",
            ],
        ),
        (
            Meaning::Invalid,
            &[
                "ValidationError",
                "ValidationException",
                "ItemCollectionSizeLimitExceeded",
                "ItemCollectionSizeLimitExceededException",
            ],
        ),
        (
            Meaning::Hopeless,
            &[
                "AccessDeniedException",
                "ExpiredTokenException",
                "ResourceNotFoundException",
                "TransactionCanceledException",
                "UnrecognizedClientException",
                "SomethingNew",
                "",
            ],
        ),
    ];

    fn answered(code: Option<&str>) -> SdkError<PutItemError, ()> {
        let mut metadata = ErrorMetadata::builder();
        if let Some(code) = code {
            metadata = metadata.code(code);
        }
        SdkError::service_error(PutItemError::generic(metadata.build()), ())
    }

    #[test]
    fn every_code_has_its_meaning() {
        for (expected, codes) in CODES {
            for code in codes {
                assert_eq!(meaning_of_code(code), expected, "{code}");
                assert_eq!(meaning(&answered(Some(code))), expected, "{code} of a request");
                let reason = CancellationReason::builder().code(*code).build();
                assert_eq!(meaning_of_reason(&reason), Some(expected), "{code} of an action");
            }
        }
    }

    #[test]
    fn an_action_that_stood_in_nobodys_way_means_nothing() {
        let none = CancellationReason::builder().code("None").build();
        assert_eq!(meaning_of_reason(&none), None);
        assert_eq!(meaning_of_reason(&CancellationReason::builder().build()), None);
    }

    #[test]
    fn a_request_without_an_answer_of_dynamodb_may_have_been_carried_out() {
        for (error, expected) in [
            (SdkError::timeout_error("slow"), Meaning::Unknown),
            (SdkError::response_error("half an answer", ()), Meaning::Unknown),
            (answered(None), Meaning::Unknown),
            (SdkError::construction_failure("no table"), Meaning::Hopeless),
        ] {
            assert_eq!(meaning::<PutItemError, ()>(&error), expected, "{error:?}");
        }
    }

    #[test]
    fn only_what_may_end_by_itself_is_passing() {
        for (meaning, expected) in [
            (Meaning::Changed, false),
            (Meaning::Contended, true),
            (Meaning::Throttled, true),
            (Meaning::Unknown, true),
            (Meaning::Invalid, false),
            (Meaning::Hopeless, false),
        ] {
            assert_eq!(meaning.is_passing(), expected, "{meaning:?}");
        }
    }
}
