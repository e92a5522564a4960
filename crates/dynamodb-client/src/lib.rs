//! The one way to DynamoDB: clients with time-outs, what an error means for the work that met it, and the
//! back-off before another attempt.

mod backoff;
mod client;
mod http_client;
mod meaning;

pub use backoff::{Backoff, jitter};
pub use client::{
    ATTEMPT_COUNT, Timeouts, client_at_endpoint, client_from_environment, settings_at_endpoint,
    settings_from_environment,
};
pub use http_client::{http_client_at_endpoint, https_client};
pub use meaning::{Meaning, meaning, meaning_of_code, meaning_of_reason};
