//! How far a shard is done: lanes finish in any order, the checkpoint moves over what is done without
//! a gap.

use std::collections::BTreeMap;

use super::record::SequenceNumber;

/// The records of a shard that were read, from the oldest that is not done.
#[derive(Debug, Default)]
pub(super) struct Acknowledgements {
    done_by_number: BTreeMap<SequenceNumber, bool>,
}

impl Acknowledgements {
    /// Notes a record that was read.
    pub(super) fn read(&mut self, sequence_number: SequenceNumber) {
        self.done_by_number.insert(sequence_number, false);
    }

    /// Notes a record that is done: acknowledged, kept as an on-failure record, or filtered out.
    pub(super) fn done(&mut self, sequence_number: &SequenceNumber) {
        if let Some(done) = self.done_by_number.get_mut(sequence_number) {
            *done = true;
        }
    }

    /// Whether every record that was read is done, and the checkpoint stands behind the last.
    pub(super) fn is_empty(&self) -> bool {
        self.done_by_number.is_empty()
    }

    /// How many records were read that the checkpoint does not stand behind.
    pub(super) fn len(&self) -> usize {
        self.done_by_number.len()
    }

    /// The new checkpoint, where it moved: the newest record that is done, with all before it.
    pub(super) fn advance(&mut self) -> Option<SequenceNumber> {
        let mut checkpoint = None;
        while let Some(first) = self.done_by_number.first_entry() {
            if !first.get() {
                break;
            }
            checkpoint = Some(first.remove_entry().0);
        }
        checkpoint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checkpoint_waits_for_the_oldest() {
        let number = |number: u32| SequenceNumber::new(number.to_string());
        let mut acknowledgements = Acknowledgements::default();
        for it in 8..=12 {
            acknowledgements.read(number(it));
        }
        assert_eq!(acknowledgements.advance(), None);
        acknowledgements.done(&number(9));
        assert_eq!(acknowledgements.advance(), None);
        acknowledgements.done(&number(8));
        assert_eq!(acknowledgements.advance(), Some(number(9)));
        acknowledgements.done(&number(12));
        acknowledgements.done(&number(10));
        assert_eq!(acknowledgements.advance(), Some(number(10)));
        assert!(!acknowledgements.is_empty());
        acknowledgements.done(&number(11));
        assert_eq!(acknowledgements.advance(), Some(number(12)));
        assert!(acknowledgements.is_empty());
        assert_eq!(acknowledgements.advance(), None);
    }
}
