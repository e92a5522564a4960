//! Which records make a batch.

use std::collections::VecDeque;

use super::record::Record;

/// The largest payload of a synchronous invocation, in bytes: 6 MB
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const MAXIMUM_PAYLOAD_BYTES: usize = 6 * 1024 * 1024;

/// What surrounds the records of an event.
const EVENT_START: &str = r#"{"Records":["#;
const EVENT_END: &str = "]}";

/// How many of the waiting records the next batch takes: at most `batch_size`, and no more than the
/// payload holds, but always one.
fn next_count(waiting: &VecDeque<Record>, batch_size: usize) -> usize {
    let mut bytes = EVENT_START.len() + EVENT_END.len();
    let fits = |record: &&Record| {
        bytes += record.json.len() + 1;
        bytes <= MAXIMUM_PAYLOAD_BYTES
    };
    let fitting = waiting.iter().take(batch_size).take_while(fits).count();
    fitting.max(1).min(waiting.len())
}

/// Whether more waiting records would not make the next batch larger.
pub(super) fn is_full(waiting: &VecDeque<Record>, batch_size: usize) -> bool {
    waiting.len() >= batch_size || next_count(waiting, batch_size) < waiting.len()
}

/// Takes the next batch from the waiting records; empty only where none waits.
pub(super) fn take(waiting: &mut VecDeque<Record>, batch_size: usize) -> Vec<Record> {
    let count = next_count(waiting, batch_size);
    waiting.drain(..count).collect()
}

/// The event of some records: the payload of an invocation.
pub(super) fn event(records: &[Record]) -> String {
    let records: Vec<&str> = records.iter().map(|record| record.json.as_str()).collect();
    format!("{EVENT_START}{}{EVENT_END}", records.join(","))
}

#[cfg(test)]
mod tests {
    use super::super::record::SequenceNumber;
    use super::*;

    fn waiting(sizes: &[usize]) -> VecDeque<Record> {
        let record = |size: &usize| Record {
            sequence_number: SequenceNumber::new("1"),
            created_at_secs: None,
            item_key: String::new(),
            json: "x".repeat(*size),
        };
        sizes.iter().map(record).collect()
    }

    #[track_caller]
    fn check(sizes: &[usize], expected_count: usize, expected_full: bool) {
        let mut waiting = waiting(sizes);
        assert_eq!(is_full(&waiting, 3), expected_full);
        assert_eq!(take(&mut waiting, 3).len(), expected_count);
    }

    #[test]
    fn a_batch_closes_at_its_size_and_at_the_payload_s() {
        let half = MAXIMUM_PAYLOAD_BYTES / 2;
        check(&[], 0, false);
        check(&[1, 1], 2, false);
        check(&[1, 1, 1], 3, true);
        check(&[1, 1, 1, 1], 3, true);
        check(&[half, half], 1, true);
        check(&[MAXIMUM_PAYLOAD_BYTES * 2], 1, false);
        check(&[MAXIMUM_PAYLOAD_BYTES * 2, 1], 1, true);
    }

    #[test]
    fn the_payload_is_an_event_no_larger_than_allowed() {
        let records: Vec<Record> = waiting(&[1, 1]).into();
        assert_eq!(event(&records), r#"{"Records":[x,x]}"#);
        let mut many = waiting(&[MAXIMUM_PAYLOAD_BYTES / 10; 12]);
        let batch = take(&mut many, 100);
        assert!(event(&batch).len() <= MAXIMUM_PAYLOAD_BYTES);
    }
}
