//! How far to look back.

use std::str::FromStr;
use std::time::Duration;

use time::OffsetDateTime;

use crate::failure::Failure;

/// A time span such as `10m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Since(Duration);

/// A text is no time span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SinceError;

impl std::fmt::Display for SinceError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("give a number and one of s, m, h and d, such as 10m")
    }
}

impl std::error::Error for SinceError {}

impl Since {
    /// So many hours.
    pub const fn hours(count: u64) -> Self {
        Self(Duration::from_secs(count * 60 * 60))
    }

    /// When the time span began that ends now; 1970 where that is before it: nothing was logged then, and
    /// CloudWatch refuses such times.
    pub fn start(self) -> Result<OffsetDateTime, Failure> {
        let span = self.0.try_into().ok();
        let start = span.and_then(|span| OffsetDateTime::now_utc().checked_sub(span));
        start.map(|it| it.max(OffsetDateTime::UNIX_EPOCH)).ok_or_else(|| {
            Failure::usage("there is no time that long ago", "give a shorter --since, such as 10m")
        })
    }
}

impl FromStr for Since {
    type Err = SinceError;

    fn from_str(text: &str) -> Result<Self, SinceError> {
        let unit = text.chars().next_back().ok_or(SinceError)?;
        let number = text.strip_suffix(unit).ok_or(SinceError)?;
        let unit_secs: u64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 60 * 60,
            'd' => 24 * 60 * 60,
            _ => return Err(SinceError),
        };
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(SinceError);
        }
        let number: u32 = number.parse().map_err(|_| SinceError)?;
        Ok(Self(Duration::from_secs(u64::from(number) * unit_secs)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<u64>) {
        let since: Result<Since, _> = text.parse();
        assert_eq!(since.ok().map(|it| it.0.as_secs()), expected, "{text}");
    }

    #[test]
    fn a_number_and_a_unit() {
        check("45s", Some(45));
        check("10m", Some(600));
        check("2h", Some(7200));
        check("1d", Some(86_400));
        for wrong in ["", "m", "10", "10w", "-1m", "+1m", "1.5h", "10 m", "99999999999d", "1é"] {
            check(wrong, None);
        }
    }
}
