//! The messages application.
