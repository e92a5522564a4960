//! The pure core.

mod outcome;

pub use outcome::Outcome;
