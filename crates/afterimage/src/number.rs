//! DynamoDB numbers, kept as the decimal text that they are.

use std::fmt;
use std::str::FromStr;

use crate::limits::{NUMBER_DIGITS_MAX, NUMBER_EXPONENT_RANGE};

/// A DynamoDB number in canonical decimal: no exponent, no leading or trailing zeros, no `-0`, so
/// that two numbers are equal if and only if their texts are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(String);

/// Why a text is no DynamoDB number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// The text is not a decimal number.
    #[error("it is not a decimal number")]
    Syntax,
    /// It has more than 38 significant digits, or lies outside 1E-130 to 9.99E+125.
    #[error("it has more than 38 significant digits, or lies outside 1E-130 to 9.99E+125")]
    Range,
}

impl Number {
    /// The canonical decimal text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<u64> for Number {
    fn from(value: u64) -> Self {
        Self(value.to_string())
    }
}

impl From<i64> for Number {
    fn from(value: i64) -> Self {
        Self(value.to_string())
    }
}

impl fmt::Display for Number {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for Number {
    type Err = NumberError;

    /// Reads a decimal number, with or without exponent.
    ///
    /// # Errors
    /// [`NumberError`] for a text that DynamoDB would not take as a number.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (negative, unsigned) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (mantissa, exponent) = split_exponent(unsigned)?;
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.len() + fraction.len() == 0 || !is_digits(whole) || !is_digits(fraction) {
            return Err(NumberError::Syntax);
        }
        let all_digits = [whole, fraction].concat();
        let digits = all_digits.trim_start_matches('0');
        if digits.is_empty() {
            return Ok(Self("0".to_owned()));
        }
        let leading_zeros = all_digits.len() - digits.len();
        // The power of ten of the first significant digit.
        let magnitude = whole.len() as i64 - leading_zeros as i64 - 1 + exponent;
        let digits = digits.trim_end_matches('0');
        if digits.len() > NUMBER_DIGITS_MAX || !NUMBER_EXPONENT_RANGE.contains(&magnitude) {
            return Err(NumberError::Range);
        }
        let sign = if negative { "-" } else { "" };
        Ok(Self(format!("{sign}{}", plain(digits, magnitude))))
    }
}

fn split_exponent(text: &str) -> Result<(&str, i64), NumberError> {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else {
        return Ok((text, 0));
    };
    let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    if unsigned.is_empty() || !unsigned.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(NumberError::Syntax);
    }
    // Four digits hold every exponent in range, and keep the sum with a text's length from overflow.
    if unsigned.trim_start_matches('0').len() > 4 {
        return Err(NumberError::Range);
    }
    let exponent = exponent.parse().map_err(|_| NumberError::Syntax)?;
    Ok((mantissa, exponent))
}

/// `digits` without zeros at either end, the first of them at ten to the power of `magnitude`.
fn plain(digits: &str, magnitude: i64) -> String {
    let Ok(before_point) = usize::try_from(magnitude + 1) else {
        let zeros = usize::try_from(-(magnitude + 1)).unwrap_or_default();
        return format!("0.{}{digits}", "0".repeat(zeros));
    };
    if before_point == 0 {
        return format!("0.{digits}");
    }
    match digits.split_at_checked(before_point) {
        Some((whole, "")) => whole.to_owned(),
        Some((whole, fraction)) => format!("{whole}.{fraction}"),
        None => format!("{digits}{}", "0".repeat(before_point - digits.len())),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found: Result<Number, _> = text.parse();
        assert_eq!(found.map(|number| number.to_string()), Ok(expected.to_owned()));
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &NumberError) {
        let found: Result<Number, _> = text.parse();
        assert_eq!(found.as_ref(), Err(expected), "{text}");
    }

    #[test]
    fn numbers_become_canonical() {
        check("0", "0");
        check("-0.000", "0");
        check("007", "7");
        check("+1.50", "1.5");
        check("-.5", "-0.5");
        check("5.", "5");
        check("1E+2", "100");
        check("12.34e1", "123.4");
        check("1e-3", "0.001");
        check("12300e-2", "123");
        check("1e125", &format!("1{}", "0".repeat(125)));
        check_refused("0e99999", &NumberError::Range);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", ".", "-", "e5", "1e", "1e+", "1 ", "0x10", "NaN", "Infinity", "1.2.3", "--1", "١"]
        {
            check_refused(text, &NumberError::Syntax);
        }
        check_refused("1e126", &NumberError::Range);
        check_refused("1e-131", &NumberError::Range);
        check_refused(&"1".repeat(39), &NumberError::Range);
        check_refused("1e99999999999999999999", &NumberError::Range);
    }

    proptest! {
        #[test]
        fn a_canonical_text_reads_as_itself(mantissa in -999_999_999_i64.., exponent in -60_i64..60) {
            let number: Number = format!("{mantissa}e{exponent}").parse().expect("a number");
            prop_assert_eq!(number.as_str().parse::<Number>().expect("canonical"), number.clone());
            let shifted: Number = format!("{mantissa}0e{}", exponent - 1).parse().expect("a number");
            prop_assert_eq!(shifted, number);
        }
    }
}
