//! Versions: what orders the records of one item.

use std::fmt;
use std::str::FromStr;

/// The label of a stream as ISO time, such as `2026-01-31T23:59:59.123`: greater for a stream that
/// was enabled later
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_Stream.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamLabel(String);

/// A sequence number of a stream: up to 40 decimal digits, compared as an integer
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html>).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SequenceNumber(String);

/// The position of a record among the records of its item, across streams of one table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// The stream that the record came from.
    pub stream_label: StreamLabel,
    /// Its place in that stream.
    pub sequence_number: SequenceNumber,
}

/// Why a text is no part of a version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// The label is not an ISO time.
    #[error("the stream label is not a time such as 2026-01-31T23:59:59.123")]
    StreamLabel,
    /// The sequence number is not 1 to 40 decimal digits.
    #[error("the sequence number is not 1 to 40 decimal digits")]
    SequenceNumber,
}

const SEQUENCE_NUMBER_DIGITS_MAX: usize = 40;

impl StreamLabel {
    /// The label, without trailing zeros in its fraction of a second.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for StreamLabel {
    type Err = VersionError;

    /// Reads `YYYY-MM-DDTHH:MM:SS`, with or without a fraction.
    ///
    /// # Errors
    /// [`VersionError::StreamLabel`] for any other text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";
        let (second, fraction) = match text.split_once('.') {
            Some((second, fraction)) if !fraction.is_empty() => (second, fraction),
            Some(_) => return Err(VersionError::StreamLabel),
            None => (text, ""),
        };
        let fits = second.len() == SHAPE.len()
            && second.bytes().zip(SHAPE).all(|(byte, wanted)| match wanted {
                b'd' => byte.is_ascii_digit(),
                literal => byte == *literal,
            })
            && fraction.len() <= 9
            && fraction.bytes().all(|byte| byte.is_ascii_digit());
        if !fits || !is_time(second) {
            return Err(VersionError::StreamLabel);
        }
        let fraction = fraction.trim_end_matches('0');
        let separator = if fraction.is_empty() { "" } else { "." };
        Ok(Self([second, separator, fraction].concat()))
    }
}

/// Whether the parts of `YYYY-MM-DDTHH:MM:SS` lie in their ranges: a label such as 9999-99-99T99:99:99
/// would outdo every real one for ever.
fn is_time(second: &str) -> bool {
    let part = |place: std::ops::Range<usize>| second.get(place)?.parse::<u8>().ok();
    let is_in = |place, from: u8, to: u8| part(place).is_some_and(|it| (from..=to).contains(&it));
    is_in(5..7, 1, 12)
        && is_in(8..10, 1, 31)
        && is_in(11..13, 0, 23)
        && is_in(14..16, 0, 59)
        && is_in(17..19, 0, 60)
}

impl SequenceNumber {
    /// The digits, without leading zeros.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SequenceNumber {
    type Err = VersionError;

    /// Reads 1 to 40 decimal digits.
    ///
    /// # Errors
    /// [`VersionError::SequenceNumber`] for any other text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_number = (1..=SEQUENCE_NUMBER_DIGITS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number {
            return Err(VersionError::SequenceNumber);
        }
        let digits = text.trim_start_matches('0');
        Ok(Self(if digits.is_empty() { "0" } else { digits }.to_owned()))
    }
}

impl Ord for SequenceNumber {
    /// As integers: without leading zeros, the longer number is the greater.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for SequenceNumber {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.stream_label.0, self.sequence_number.0)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(crate) fn version(stream_label: &str, sequence_number: &str) -> Version {
        Version {
            stream_label: stream_label.parse().expect("a label"),
            sequence_number: sequence_number.parse().expect("a sequence number"),
        }
    }

    #[track_caller]
    fn check_increasing(versions: &[(&str, &str)]) {
        let versions: Vec<_> =
            versions.iter().map(|(label, number)| version(label, number)).collect();
        assert!(versions.is_sorted_by(|one, other| one < other), "{versions:?}");
    }

    #[test]
    fn versions_order_by_stream_and_then_by_integer() {
        check_increasing(&[
            ("2026-01-01T00:00:00", "9"),
            ("2026-01-01T00:00:00", "10"),
            ("2026-01-01T00:00:00", "0000000000000000000000000000000000000100"),
            ("2026-01-01T00:00:00.5", "1"),
            ("2026-01-01T00:00:00.525", "1"),
            ("2026-01-01T00:00:01", "1"),
        ]);
        assert_eq!(
            version("2026-01-01T00:00:00.500", "007"),
            version("2026-01-01T00:00:00.5", "7")
        );
    }

    #[test]
    fn other_texts_are_refused() {
        for text in
            ["", "2026-01-01", "2026-01-01T00:00:00.", "2026-01-01 00:00:00", "1767225600.000"]
                .into_iter()
                .chain(["2026-13-01T00:00:00", "2026-00-01T00:00:00", "9999-99-99T99:99:99"])
                .chain(["2026-01-32T00:00:00", "2026-01-01T24:00:00", "2026-01-01T00:60:00"])
        {
            assert_eq!(text.parse::<StreamLabel>(), Err(VersionError::StreamLabel), "{text}");
        }
        for text in ["", "-1", "1.0", "x", &"1".repeat(41)] {
            assert_eq!(text.parse::<SequenceNumber>(), Err(VersionError::SequenceNumber), "{text}");
        }
    }

    proptest! {
        #[test]
        fn sequence_numbers_order_as_integers(one: u64, other: u64, zeros in 0_usize..5) {
            let padded = format!("{}{one}", "0".repeat(zeros));
            let number = |text: &str| text.parse::<SequenceNumber>().expect("digits");
            prop_assert_eq!(number(&padded).cmp(&number(&other.to_string())), one.cmp(&other));
        }
    }
}
