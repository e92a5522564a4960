//! What was aimed at.

use serde::Serialize;

/// On which side of its limit a figure should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bound {
    /// The limit or more.
    AtLeast,
    /// The limit or less.
    AtMost,
}

/// A figure, and what was aimed at.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Target {
    /// What was measured, with its unit.
    pub what: String,
    /// What it is here: a median, where it was measured several times.
    pub measured: f64,
    /// On which side of the limit it should be.
    pub bound: Bound,
    /// The limit.
    pub limit: f64,
    /// Whether it is there.
    pub is_met: bool,
}

impl Target {
    /// A figure that should be the limit or more.
    #[must_use]
    pub fn at_least(what: &str, measured: f64, limit: f64) -> Self {
        let is_met = measured >= limit;
        Self { what: what.to_owned(), measured, bound: Bound::AtLeast, limit, is_met }
    }

    /// A figure that should be the limit or less.
    #[must_use]
    pub fn at_most(what: &str, measured: f64, limit: f64) -> Self {
        let is_met = measured <= limit;
        Self { what: what.to_owned(), measured, bound: Bound::AtMost, limit, is_met }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_itself_is_met_and_no_number_is_not() {
        assert!(Target::at_least("", 8.0, 8.0).is_met && Target::at_most("", 8.0, 8.0).is_met);
        assert!(!Target::at_least("", 7.9, 8.0).is_met && !Target::at_most("", 8.1, 8.0).is_met);
        let unknown = f64::NAN;
        assert!(!Target::at_least("", unknown, 8.0).is_met);
        assert!(!Target::at_most("", unknown, 8.0).is_met);
    }
}
