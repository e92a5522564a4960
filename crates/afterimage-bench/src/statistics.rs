//! Several measurements of the same thing.

use serde::Serialize;

/// The middle, the least and the greatest of several measurements.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The middle one; the mean of the two in the middle where their number is even.
    pub median: f64,
    /// The least.
    pub min: f64,
    /// The greatest.
    pub max: f64,
    /// How many there are.
    pub run_count: usize,
}

impl Spread {
    /// The spread of these measurements; `None` where there is none.
    #[must_use]
    pub fn of(values: &[f64]) -> Option<Self> {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (min, max) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        Some(Self { median: f64::midpoint(lower, upper), min, max, run_count: sorted.len() })
    }
}

/// A count as a number to calculate with; exact up to 2⁵³.
#[must_use]
pub fn number(count: usize) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[f64], expected: Option<(f64, f64, f64)>) {
        let found = Spread::of(values).map(|it| (it.median, it.min, it.max));
        assert_eq!(found, expected);
    }

    #[test]
    fn the_middle_is_told_with_the_least_and_the_greatest() {
        check(&[], None);
        check(&[2.0], Some((2.0, 2.0, 2.0)));
        check(&[9.0, 1.0, 2.0], Some((2.0, 1.0, 9.0)));
        check(&[4.0, 1.0, 2.0, 9.0], Some((3.0, 1.0, 9.0)));
    }
}
