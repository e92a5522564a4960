//! What kind of refusal an AWS service's error code is.

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
    /// What a service's error code means
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
            "ThrottlingException"
            | "Throttling"
            | "ProvisionedThroughputExceededException"
            | "RequestLimitExceeded"
            | "LimitExceededException"
            | "TooManyRequestsException"
            | "ServiceUnavailableException"
            | "ServiceUnavailable" => Self::Throttled,
            _ => Self::Other,
        }
    }
}
