//! Why a body was refused.

/// Why an object was refused. The sentences name the attribute, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    /// Not JSON.
    #[error("this is not JSON: see line {line}, column {column}")]
    NotJson {
        /// The line where reading stopped, from 1.
        line: usize,
        /// The column where reading stopped, from 1.
        column: usize,
    },
    /// JSON, but not an object.
    #[error("this must be a JSON object")]
    NotAnObject,
    /// An attribute that is not known.
    #[error("there is no attribute `{name}`; known are {known}")]
    Unknown {
        /// The attribute, shortened.
        name: String,
        /// The known attributes.
        known: String,
    },
    /// An attribute that is given twice.
    #[error("`{name}` is given twice")]
    Repeated {
        /// The attribute, shortened.
        name: String,
    },
    /// An attribute of another type.
    #[error("`{name}` must be {expected}")]
    WrongType {
        /// The attribute.
        name: &'static str,
        /// What it must be.
        expected: &'static str,
    },
    /// A required attribute that is absent.
    #[error("`{name}` is required")]
    Missing {
        /// The attribute.
        name: &'static str,
    },
}
