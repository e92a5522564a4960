//! The rendered name of a group.

use std::str::FromStr;

use crate::checked_text::checked_text;
use crate::limits::GROUP_BYTES_MAX;

checked_text! {
    /// The rendered name of a group: 1 to 1,024 bytes. It is part of keys in `derived`, so that two groups are one
    /// exactly if their names are.
    GroupName
}

/// A text cannot be the name of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the group has {byte_count} bytes; 1 to {GROUP_BYTES_MAX} are possible")]
pub struct GroupNameError {
    /// The text's bytes.
    pub byte_count: usize,
}

impl FromStr for GroupName {
    type Err = GroupNameError;

    /// Takes a rendered name.
    ///
    /// # Errors
    /// [`GroupNameError`] for an empty or too long text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let byte_count = text.len();
        let is_name = (1..=GROUP_BYTES_MAX).contains(&byte_count);
        if is_name { Ok(Self(text.into())) } else { Err(GroupNameError { byte_count }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_neither_empty_nor_too_long() {
        let longest = "ü".repeat(GROUP_BYTES_MAX / 2);
        for text in ["a", "AC/DC", "1980", longest.as_str()] {
            assert_eq!(text.parse::<GroupName>().map(|it| it.to_string()), Ok(text.to_owned()));
        }
        for text in ["".to_owned(), longest + "a"] {
            let byte_count = text.len();
            assert_eq!(text.parse::<GroupName>(), Err(GroupNameError { byte_count }));
        }
    }
}
