//! How the SDK's clients connect: to AWS through TLS and proxies, to this machine without.

mod http_client;

use aws_config::{BehaviorVersion, ConfigLoader};

pub use http_client::{http_client_at_endpoint, https_client};

/// The settings of the process environment (account, Region, credentials), over [`https_client`]. Every client
/// for AWS starts here: the SDK is built without an HTTP client of its own.
#[must_use]
pub fn settings_from_environment() -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest()).http_client(https_client())
}
