//! The albums application.
