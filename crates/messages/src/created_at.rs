//! When a message was posted: the sort key of its item.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime};

use time::format_description::BorrowedFormatItem;
use time::macros::format_description;
use time::{OffsetDateTime, PrimitiveDateTime, UtcOffset};

const FORMAT: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:6]+00:00");

/// A text or a time that no message can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a time must be YYYY-MM-DDTHH:MM:SS.ffffff+00:00, from 1970 to 9999")]
pub struct InvalidCreatedAt;

/// A time in whole microseconds from 1970 to 9999, written `YYYY-MM-DDTHH:MM:SS.ffffff+00:00`: UTC and
/// always six digits, so that the order of the texts is the order of the times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CreatedAt {
    time: OffsetDateTime,
}

impl CreatedAt {
    /// The next microsecond.
    ///
    /// # Errors
    /// [`InvalidCreatedAt`] at the end of the year 9999.
    pub fn next(self) -> Result<Self, InvalidCreatedAt> {
        self.time
            .checked_add(time::Duration::MICROSECOND)
            .map(|time| Self { time })
            .ok_or(InvalidCreatedAt)
    }
}

impl TryFrom<SystemTime> for CreatedAt {
    type Error = InvalidCreatedAt;

    /// Rounds down to whole microseconds.
    fn try_from(time: SystemTime) -> Result<Self, InvalidCreatedAt> {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).map_err(|_| InvalidCreatedAt)?;
        let whole = Duration::new(since.as_secs(), since.subsec_micros() * 1_000);
        let whole = time::Duration::try_from(whole).map_err(|_| InvalidCreatedAt)?;
        OffsetDateTime::UNIX_EPOCH
            .checked_add(whole)
            .map(|time| Self { time })
            .ok_or(InvalidCreatedAt)
    }
}

impl fmt::Display for CreatedAt {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.time.format(FORMAT).map_err(|_| fmt::Error)?;
        formatter.write_str(&text)
    }
}

impl FromStr for CreatedAt {
    type Err = InvalidCreatedAt;

    fn from_str(text: &str) -> Result<Self, InvalidCreatedAt> {
        let time = PrimitiveDateTime::parse(text, FORMAT).map_err(|_| InvalidCreatedAt)?;
        let read = Self { time: time.assume_offset(UtcOffset::UTC) };
        let canonical = read.time >= OffsetDateTime::UNIX_EPOCH && read.to_string() == text;
        canonical.then_some(read).ok_or(InvalidCreatedAt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(micros: u64) -> CreatedAt {
        CreatedAt::try_from(SystemTime::UNIX_EPOCH + Duration::from_micros(micros)).expect("a time")
    }

    /// The last microsecond of the year 9999.
    const LAST: u64 = 253_402_300_799_999_999;

    #[test]
    fn times_have_six_digits_and_an_end() {
        assert_eq!(at(0).to_string(), "1970-01-01T00:00:00.000000+00:00");
        assert_eq!(at(1_772_355_600_000_001).to_string(), "2026-03-01T09:00:00.000001+00:00");
        assert_eq!(at(LAST).to_string(), "9999-12-31T23:59:59.999999+00:00");
        assert_eq!(at(LAST).next(), Err(InvalidCreatedAt));
        for text in [
            "",
            "2026-03-01T09:00:00.000001Z",
            "2026-03-01T09:00:00.00001+00:00",
            "2026-03-01T09:00:00.000001+01:00",
            "1969-12-31T23:59:59.999999+00:00",
            "2026-02-30T09:00:00.000000+00:00",
            "2026-03-01T09:00:00.000001+00:00 ",
        ] {
            assert_eq!(text.parse::<CreatedAt>(), Err(InvalidCreatedAt), "{text}");
        }
    }

    proptest! {
        #[test]
        fn times_read_back_and_sort_as_texts(first in 0..=LAST, second in 0..=LAST) {
            let (one, other) = (at(first), at(second));
            prop_assert_eq!(one.to_string().parse(), Ok(one));
            prop_assert_eq!(one.to_string().cmp(&other.to_string()), first.cmp(&second));
            if first < LAST {
                prop_assert_eq!(one.next(), Ok(at(first + 1)));
            }
        }

        #[test]
        fn only_what_is_written_is_read(text in ".{0,40}") {
            if let Ok(read) = text.parse::<CreatedAt>() {
                prop_assert_eq!(read.to_string(), text);
            }
        }
    }
}
