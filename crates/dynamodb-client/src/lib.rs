//! The one way to DynamoDB: clients with time-outs, what an error means for the work that met it, and the
//! back-off before another attempt.

mod backoff;
mod http_client;
mod meaning;

use aws_config::{BehaviorVersion, ConfigLoader};

pub use backoff::Backoff;
pub use http_client::{http_client_at_endpoint, https_client};
pub use meaning::{Meaning, meaning, meaning_of_code, meaning_of_reason};

/// The settings of the process environment (account, Region, credentials), over [`https_client`]. Every client
/// for AWS starts here: the SDK is built without an HTTP client of its own.
#[must_use]
pub fn settings_from_environment() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).http_client(https_client())
}
