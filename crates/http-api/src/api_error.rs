//! What an API answers instead of a result.

use std::error::Error;

use lambda_http::http::StatusCode;

use crate::{FieldError, InvalidCursor, StoreError};

/// A refusal or a failure, with the sentence that the client reads.
///
/// Codes are stable: clients branch on them. The cause of an internal failure is logged, never
/// answered.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// 400: the request itself is wrong.
    #[error("{message}")]
    Invalid {
        /// The stable code.
        code: &'static str,
        /// The sentence.
        message: String,
    },
    /// 401: nobody is signed in, or the token names nobody.
    #[error("sign in first: the request carries no identity")]
    Unauthorized,
    /// 403: the caller may not do this.
    #[error("{message}")]
    Forbidden {
        /// The stable code.
        code: &'static str,
        /// The sentence.
        message: String,
    },
    /// 404: what the request names is not there.
    #[error("{message}")]
    NotFound {
        /// The stable code.
        code: &'static str,
        /// The sentence.
        message: String,
    },
    /// 409: what is stored stands against it.
    #[error("{message}")]
    Conflict {
        /// The stable code.
        code: &'static str,
        /// The sentence.
        message: String,
    },
    /// 413: the body is longer than any that is valid.
    #[error("{message}")]
    TooLarge {
        /// The stable code.
        code: &'static str,
        /// The sentence.
        message: String,
    },
    /// 503: the store is busy or out of reach; the same request may succeed later.
    #[error("the store is busy; try again in a moment")]
    Unavailable {
        /// What happened.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// 500: a defect, ours or of what is stored.
    #[error("something went wrong on our side; it is logged")]
    Internal {
        /// What happened.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

impl ApiError {
    /// 400 `invalid_body`.
    #[must_use]
    pub fn invalid_body(message: impl Into<String>) -> Self {
        Self::Invalid { code: "invalid_body", message: message.into() }
    }

    /// 400 `invalid_parameter`, for the query and the path.
    #[must_use]
    pub fn invalid_parameter(message: impl Into<String>) -> Self {
        Self::Invalid { code: "invalid_parameter", message: message.into() }
    }

    /// 500, with its cause.
    #[must_use]
    pub fn internal(source: impl Error + Send + Sync + 'static) -> Self {
        Self::Internal { source: Box::new(source) }
    }

    /// The HTTP status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        match self {
            Self::Invalid { .. } => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden { .. } => StatusCode::FORBIDDEN,
            Self::NotFound { .. } => StatusCode::NOT_FOUND,
            Self::Conflict { .. } => StatusCode::CONFLICT,
            Self::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal { .. } => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// The stable code.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Invalid { code, .. }
            | Self::Forbidden { code, .. }
            | Self::NotFound { code, .. }
            | Self::Conflict { code, .. }
            | Self::TooLarge { code, .. } => code,
            Self::Unauthorized => "unauthorized",
            Self::Unavailable { .. } => "unavailable",
            Self::Internal { .. } => "internal",
        }
    }
}

impl From<FieldError> for ApiError {
    fn from(error: FieldError) -> Self {
        Self::invalid_body(error.to_string())
    }
}

impl From<InvalidCursor> for ApiError {
    fn from(error: InvalidCursor) -> Self {
        Self::Invalid { code: "invalid_cursor", message: error.to_string() }
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Busy { .. } => Self::Unavailable { source: Box::new(error) },
            StoreError::Failed { .. } | StoreError::Malformed { .. } => {
                Self::Internal { source: Box::new(error) }
            }
        }
    }
}
