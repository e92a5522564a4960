//! The name of a view.

use std::str::FromStr;

use crate::checked_text::checked_text;
use crate::limits::VIEW_NAME_BYTES_MAX;

checked_text! {
    /// The name of a view: up to 64 lower-case letters, digits and `-`, beginning with a letter. It is part
    /// of keys in `derived`.
    ViewName
}

/// A text is not the name of a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "it is not a name of up to 64 lower-case letters, digits and `-` that begins with a letter"
)]
pub struct ViewNameError;

impl FromStr for ViewName {
    type Err = ViewNameError;

    /// Takes a name as it is written.
    ///
    /// # Errors
    /// [`ViewNameError`] for any other text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_name = text.len() <= VIEW_NAME_BYTES_MAX
            && text.starts_with(|first: char| first.is_ascii_lowercase())
            && text.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
        if is_name { Ok(Self(text.into())) } else { Err(ViewNameError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_begins_with_a_letter_and_is_short() {
        let longest = "a".repeat(VIEW_NAME_BYTES_MAX);
        for name in ["a", "order-counts", "v2", longest.as_str()] {
            assert_eq!(name.parse::<ViewName>().map(|it| it.to_string()), Ok(name.to_owned()));
        }
        let too_long = "a".repeat(VIEW_NAME_BYTES_MAX + 1);
        for text in ["", "-", "2v", "Order", "a b", "é", too_long.as_str()] {
            assert_eq!(text.parse::<ViewName>(), Err(ViewNameError), "{text}");
        }
    }
}
