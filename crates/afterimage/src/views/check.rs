//! Checks of a table or a view, and the error that says which of its keys cannot work.

use crate::limits::ATTRIBUTE_NAME_BYTES_MAX;
use crate::view_name::{ViewName, ViewNameError};

/// A key of a table or a view is missing, unknown, or has a value that cannot work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{subject}, key `{key}`: {problem}; {fix}")]
pub struct ViewError {
    /// The table or view, such as ``view `order-counts` ``.
    pub subject: String,
    /// The key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

/// Makes errors that name one table or view.
pub(super) struct Check {
    subject: String,
}

impl Check {
    pub(super) fn of_view(name: &str) -> Self {
        Self { subject: format!("view `{name}`") }
    }

    pub(super) fn of_table(name: &str) -> Self {
        Self { subject: format!("table `{name}`") }
    }

    pub(super) fn that(
        &self,
        holds: bool,
        key: &str,
        problem: &str,
        fix: &str,
    ) -> Result<(), ViewError> {
        if holds { Ok(()) } else { Err(self.error(key, problem, fix)) }
    }

    pub(super) fn error(&self, key: &str, problem: &str, fix: &str) -> ViewError {
        ViewError {
            subject: self.subject.clone(),
            key: key.to_owned(),
            problem: problem.to_owned(),
            fix: fix.to_owned(),
        }
    }
}

/// The view's name, if it is one. The error calls a view by its place if its name is empty.
pub(super) fn checked_name(name: &str, place: &str) -> Result<ViewName, ViewError> {
    name.parse().map_err(|error: ViewNameError| {
        Check::of_view(if name.is_empty() { place } else { name }).error(
            "name",
            &error.to_string(),
            "write a name such as `order-counts`; it is part of keys in `derived`",
        )
    })
}

/// Whether a name is one that an expression can hold.
pub(super) fn is_attribute_name(name: &str) -> bool {
    (1..=ATTRIBUTE_NAME_BYTES_MAX).contains(&name.len())
}
