//! What a user is called by others.

use std::fmt;

/// The longest handle, in bytes of UTF-8: as a Cognito user name has 128 characters at most
/// (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SignUp.html>),
/// and far below the 2048 bytes of a partition key.
pub const HANDLE_BYTES_MAX: usize = 512;

/// A text that cannot be a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "`handle` must have 1 to {HANDLE_BYTES_MAX} bytes, without white space or control characters"
)]
pub struct InvalidHandle;

/// A handle: 1 to [`HANDLE_BYTES_MAX`] bytes without white space and control characters. Handles are
/// equal if and only if their bytes are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Handle(String);

impl Handle {
    /// Checks a handle.
    ///
    /// # Errors
    /// [`InvalidHandle`].
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidHandle> {
        let text = text.into();
        let fits = (1..=HANDLE_BYTES_MAX).contains(&text.len());
        let printable = !text.chars().any(|it| it.is_whitespace() || it.is_control());
        (fits && printable).then_some(Self(text)).ok_or(InvalidHandle)
    }

    /// The handle's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Handle {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handles_are_bounded_and_printable() {
        for text in ["ada-demo", "Björk", "a#b", "日本", &"h".repeat(512)] {
            assert!(Handle::new(text).is_ok(), "{text}");
        }
        for text in ["", " ", "a b", "a\u{a0}b", "a\n", "\u{7f}", &"h".repeat(513)] {
            assert_eq!(Handle::new(text), Err(InvalidHandle), "{text}");
        }
    }
}
