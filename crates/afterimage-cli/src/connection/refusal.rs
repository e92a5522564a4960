//! What kind of refusal an AWS service's error code is.

use dynamodb_client::{Meaning, meaning_of_code};

/// Why a service refused a request, as far as it matters for what to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Whoever asks is not known, or not any more.
    Credentials,
    /// Whoever asks is known, and may not do this.
    Access,
    /// What is asked for is not there.
    Missing,
    /// Too much was asked for, or the service is busy: later it answers.
    Throttled,
    /// Anything else.
    Other,
}

impl Refusal {
    /// What a service's error code means to the person who asked: what only waiting helps against is said by the
    /// table of all errors
    /// (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CommonErrors.html>).
    pub fn of(code: &str) -> Self {
        match code {
            "UnrecognizedClientException"
            | "ExpiredTokenException"
            | "ExpiredToken"
            | "InvalidClientTokenId"
            | "InvalidSignatureException"
            | "IncompleteSignature"
            | "IncompleteSignatureException"
            | "MissingAuthenticationToken"
            | "MissingAuthenticationTokenException"
            | "RequestExpired" => Self::Credentials,
            "AccessDeniedException" | "AccessDenied" | "NotAuthorized" | "OptInRequired" => {
                Self::Access
            }
            "ResourceNotFoundException" => Self::Missing,
            "TooManyRequestsException" | "ServiceUnavailableException" | "ServiceUnavailable" => {
                Self::Throttled
            }
            _ if matches!(meaning_of_code(code), Meaning::Contended | Meaning::Throttled) => {
                Self::Throttled
            }
            _ => Self::Other,
        }
    }
}
