//! The text of a message.

use std::fmt;

use serde::Serialize;

/// The longest message, in bytes of UTF-8. It is copied to the rows and the head of its group, whose
/// items have 400 KB at most
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>); this leaves
/// the greater part of them to other attributes.
pub const MESSAGE_BYTES_MAX: usize = 32 * 1024;

/// A text that cannot be posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`message` must have 1 to {MESSAGE_BYTES_MAX} bytes, and not of white space alone")]
pub struct InvalidMessageText;

/// A text of 1 to [`MESSAGE_BYTES_MAX`] bytes that is not white space alone; kept as given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MessageText(String);

impl MessageText {
    /// Checks a text.
    ///
    /// # Errors
    /// [`InvalidMessageText`].
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidMessageText> {
        let text = text.into();
        let fits = (1..=MESSAGE_BYTES_MAX).contains(&text.len());
        (fits && !text.trim().is_empty()).then_some(Self(text)).ok_or(InvalidMessageText)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for MessageText {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_measured_in_bytes() {
        let longest = "ö".repeat(MESSAGE_BYTES_MAX / 2);
        for text in ["x", " x ", &longest] {
            assert!(MessageText::new(text).is_ok());
        }
        for text in ["", " \n\t\u{a0}", &format!("{longest}o")] {
            assert_eq!(MessageText::new(text), Err(InvalidMessageText));
        }
    }
}
