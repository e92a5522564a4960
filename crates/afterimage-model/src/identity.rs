//! Identities: 64-bit hashes by which equal things are known as equal.
//!
//! Two different things with one identity would hide a state. At 10 million states the odds against
//! that are better than 100,000 to 1.

use std::fmt::{Debug, Write as _};
use std::hash::{DefaultHasher, Hash, Hasher as _};

/// A text that is hashed while it is written, and never kept.
struct HashedText(DefaultHasher);

impl std::fmt::Write for HashedText {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}

/// The identity of a value, by its `Debug` text: of use where that is derived, and so tells all.
pub(crate) fn of_text(value: &impl Debug) -> u64 {
    let mut hashed = HashedText(DefaultHasher::new());
    // Writing to a hasher never fails.
    let _written = write!(hashed, "{value:?}");
    hashed.0.finish()
}

/// The identity of a value that can be hashed.
pub(crate) fn of(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}
