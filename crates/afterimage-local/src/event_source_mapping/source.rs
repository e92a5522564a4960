//! The stream that events come from, as they name it.

use time::OffsetDateTime;
use time::macros::format_description;

/// The Region and account that events name: the emulator has its own, which no AWS tool would take.
const REGION: &str = "us-east-1";
const ACCOUNT: &str = "000000000000";

/// What events say of their source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    /// The stream's ARN, with its label as ISO time.
    pub arn: String,
    /// Its Region.
    pub region: String,
    /// The table's real name.
    pub table_name: String,
}

impl EventSource {
    /// What events of a stream say of it: a stream of AWS as it is, one of the emulator as the trigger
    /// names it. `None` where the text is no ARN of a table's stream.
    #[must_use]
    pub fn of_stream(stream_arn: &str) -> Option<Self> {
        let parts: Vec<&str> = stream_arn.splitn(6, ':').collect();
        let ["arn", _, "dynamodb", region, _, resource] = parts[..] else { return None };
        let (table_name, label) = resource.strip_prefix("table/")?.split_once("/stream/")?;
        if iso_label(label).is_some() {
            return Some(event_source(table_name, stream_arn));
        }
        Some(Self {
            arn: stream_arn.to_owned(),
            region: region.to_owned(),
            table_name: table_name.to_owned(),
        })
    }

    /// Whether events of this stream name this source.
    #[must_use]
    pub fn is_of_stream(&self, stream_arn: &str) -> bool {
        Self::of_stream(stream_arn).is_some_and(|source| source.arn == self.arn)
    }
}

/// What events say of a stream: the emulator's label `<seconds>.<nanoseconds>` becomes the ISO time
/// that labels are on AWS, to the millisecond.
pub(super) fn event_source(table_name: &str, stream_arn: &str) -> EventSource {
    let label = stream_arn.rsplit('/').next().unwrap_or(stream_arn);
    let label = iso_label(label).unwrap_or_else(|| label.to_owned());
    let arn = format!("arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table_name}/stream/{label}");
    EventSource { arn, region: REGION.to_owned(), table_name: table_name.to_owned() }
}

fn iso_label(label: &str) -> Option<String> {
    let (secs, nanos) = label.split_once('.')?;
    let (secs, nanos): (i128, i128) = (secs.parse().ok()?, nanos.parse().ok()?);
    let time = OffsetDateTime::from_unix_timestamp_nanos(secs * 1_000_000_000 + nanos).ok()?;
    let format =
        format_description!("[year]-[month]-[day]T[hour]:[minute]:[second].[subsecond digits:3]");
    time.format(&format).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(stream_arn: &str, expected_label: &str) {
        let source = event_source("afterimage-albums", stream_arn);
        assert_eq!(
            source.arn,
            format!(
                "arn:aws:dynamodb:us-east-1:000000000000:table/afterimage-albums/stream/{expected_label}"
            )
        );
    }

    #[test]
    fn labels_become_iso_times() {
        check("arn:x/afterimage-albums/stream/1700000000.123456789", "2023-11-14T22:13:20.123");
        check("arn:x/afterimage-albums/stream/1700000000.000000000", "2023-11-14T22:13:20.000");
        check("arn:x/afterimage-albums/stream/2024-01-01T00:00:00.000", "2024-01-01T00:00:00.000");
    }

    #[track_caller]
    fn check_source(stream_arn: &str, expected: Option<(&str, &str, &str)>) {
        let source = EventSource::of_stream(stream_arn);
        let found = source.as_ref().map(|it| (&*it.arn, &*it.region, &*it.table_name));
        assert_eq!(found, expected, "{stream_arn}");
    }

    #[test]
    fn a_stream_of_aws_is_named_as_it_is() {
        let aws = "arn:aws:dynamodb:eu-west-1:1:table/t/stream/2024-01-01T00:00:00.000";
        check_source(aws, Some((aws, "eu-west-1", "t")));
        check_source(
            "arn:aws:dynamodb:dynoxide:0:table/t/stream/1700000000.123456789",
            Some((
                "arn:aws:dynamodb:us-east-1:000000000000:table/t/stream/2023-11-14T22:13:20.123",
                "us-east-1",
                "t",
            )),
        );
        for wrong in ["", "t", "arn:aws:sqs:eu-west-1:1:q", "arn:aws:dynamodb:eu-west-1:1:table/t"]
        {
            check_source(wrong, None);
        }
    }
}
