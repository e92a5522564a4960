//! Requests that no service takes.

use afterimage::version::VersionError;

/// A request that the service would not take as valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RequestFault {
    #[error("a transaction has {count} writes")]
    WriteCount { count: usize },
    #[error("a transaction writes one item twice: {key}")]
    SameItem { key: String },
    #[error("`{attribute}` of {key} is added to, and is no whole number")]
    NoNumber { key: String, attribute: String },
    #[error(transparent)]
    Version(VersionError),
    #[error("a table has no definition")]
    NoTable,
}
