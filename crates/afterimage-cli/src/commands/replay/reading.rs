//! How far the reading of a batch is: which records are of it, and when all of them were read.

use afterimage::version::SequenceNumber;

/// So many reads in a row may bring nothing: a stream answers with empty pages now and then.
const FRUITLESS_READS_MAX: u32 = 25;

/// How far the reading is.
#[derive(Debug)]
pub struct Reading {
    first: SequenceNumber,
    last: SequenceNumber,
    record_count_min: usize,
    taken_count: usize,
    is_first_taken: bool,
    is_last_taken: bool,
    is_over: bool,
    fruitless_count: u32,
    last_read: Option<String>,
}

/// How much of the batch the stream still held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remainder {
    /// All of it.
    Whole,
    /// Not all of it.
    Part,
    /// None of it.
    Nothing,
}

impl Reading {
    /// Nothing is read yet of the batch that begins and ends with these records, and has at least so
    /// many.
    pub fn new(first: SequenceNumber, last: SequenceNumber, record_count_min: usize) -> Self {
        Self {
            first,
            last,
            record_count_min,
            taken_count: 0,
            is_first_taken: false,
            is_last_taken: false,
            is_over: false,
            fruitless_count: 0,
            last_read: None,
        }
    }

    /// Notes that a record was read, and tells whether it is of the batch.
    pub fn take(&mut self, text: &str, number: &SequenceNumber) -> bool {
        self.last_read = Some(text.to_owned());
        self.is_over |= *number >= self.last;
        let is_taken = (&self.first..=&self.last).contains(&number);
        if is_taken {
            self.taken_count += 1;
            self.is_first_taken |= *number == self.first;
            self.is_last_taken |= *number == self.last;
            self.fruitless_count = 0;
        }
        is_taken
    }

    /// Notes that a read brought nothing.
    pub fn pass_fruitless(&mut self) {
        self.fruitless_count += 1;
        self.is_over |= self.fruitless_count >= FRUITLESS_READS_MAX;
    }

    /// Notes that nothing more can be read.
    pub fn end(&mut self) {
        self.is_over = true;
    }

    /// Whether all was read that will be.
    pub fn is_over(&self) -> bool {
        self.is_over
    }

    /// The sequence number that was read last, as the stream writes it.
    pub fn last_read(&self) -> Option<&str> {
        self.last_read.as_deref()
    }

    /// How much of the batch the stream still held.
    pub fn remainder(&self) -> Remainder {
        let is_whole = self.is_first_taken && self.is_last_taken;
        match self.taken_count {
            0 => Remainder::Nothing,
            count if is_whole && count >= self.record_count_min => Remainder::Whole,
            _ => Remainder::Part,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads pages of a batch of records 8 to 11, and compares what is taken of them.
    #[track_caller]
    fn check(record_count: usize, pages: &[&[&str]], expected: &[&str], remainder: Remainder) {
        let number = |text: &str| text.parse::<SequenceNumber>().expect("digits");
        let mut reading = Reading::new(number("8"), number("11"), record_count);
        let mut taken = Vec::new();
        for page in pages {
            assert!(!reading.is_over(), "before {page:?}");
            let count = taken.len();
            taken.extend(page.iter().copied().filter(|text| reading.take(text, &number(text))));
            if taken.len() == count {
                reading.pass_fruitless();
            }
        }
        assert!(reading.is_over());
        assert_eq!((taken.as_slice(), reading.remainder()), (expected, remainder));
    }

    #[test]
    fn a_batch_is_read_from_its_first_record_to_its_last() {
        use Remainder::{Nothing, Part, Whole};
        check(2, &[&["8", "11"]], &["8", "11"], Whole);
        check(2, &[&["8", "9", "010", "11", "12"]], &["8", "9", "010", "11"], Whole);
        check(3, &[&["8"], &[], &["10"], &["11"]], &["8", "10", "11"], Whole);
        check(3, &[&["8", "11"]], &["8", "11"], Part);
        check(2, &[&["10", "11"]], &["10", "11"], Part);
        check(2, &[&["8", "12"]], &["8"], Part);
        check(2, &[&["7", "12"]], &[], Nothing);
        check(2, &[&[] as &[&str]; 25], &[], Nothing);
    }
}
