//! Why a schedule could not be carried out.

use afterimage::count::LedgerError;
use afterimage::{CatalogError, ViewsError};
use afterimage_schema::TableNameError;
use testkit::oracle::OracleError;

use crate::dynamodb::{DynamodbError, ItemError};

/// Why the world could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The emulator refused.
    #[error(transparent)]
    Dynamodb(#[from] DynamodbError),
    /// An item does not read.
    #[error(transparent)]
    Item(#[from] ItemError),
    /// A table has no usable name.
    #[error(transparent)]
    Names(#[from] TableNameError),
    /// A table cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The views do not hold together.
    #[error(transparent)]
    Views(#[from] ViewsError),
    /// A processor cannot be made.
    #[error(transparent)]
    Processor(#[from] afterimage_dynamodb::ProcessorError),
    /// The oracle cannot tell what derived items must be.
    #[error(transparent)]
    Oracle(#[from] OracleError),
    /// A request of a client does not read.
    #[error("a request does not read")]
    Request(#[from] serde_json::Error),
    /// A ledger entry does not read.
    #[error("a ledger entry does not read")]
    Ledger(#[from] LedgerError),
    /// A count has no keys, or its value is not a whole number.
    #[error("a count does not read")]
    Count,
    /// The stream does not say what it should.
    #[error("the emulator's stream has no {what}")]
    Stream {
        /// What is missing.
        what: &'static str,
    },
}
