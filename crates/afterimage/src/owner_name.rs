//! The owner of a row.

use std::str::FromStr;

use crate::checked_text::checked_text;
use crate::limits::PARTITION_KEY_BYTES_MAX;

checked_text! {
    /// The owner of a row: its partition key, 1 to 2,048 bytes.
    OwnerName
}

/// A text cannot be the owner of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the owner has {byte_count} bytes; 1 to {PARTITION_KEY_BYTES_MAX} are possible")]
pub struct OwnerNameError {
    /// The text's bytes.
    pub byte_count: usize,
}

impl FromStr for OwnerName {
    type Err = OwnerNameError;

    /// Takes a partition key.
    ///
    /// # Errors
    /// [`OwnerNameError`] for an empty or too long text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let byte_count = text.len();
        let is_key = (1..=PARTITION_KEY_BYTES_MAX).contains(&byte_count);
        if is_key { Ok(Self(text.into())) } else { Err(OwnerNameError { byte_count }) }
    }
}
