//! The contract between a view kind and the engine that does its reading and writing.

use afterimage_schema::Table;

use crate::attribute_value::Item;
use crate::key::{ItemKey, KeyValue};
use crate::outcome::Outcome;
use crate::write::Transaction;

/// Something that a task needs to know before it can go on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Read {
    /// The item with this key, read consistently.
    Item(ItemKey),
    /// The item with the greatest sort key under this partition key, read consistently; the one
    /// before `before`, where that is given.
    Last {
        /// The table.
        table: Table,
        /// The partition key's value.
        partition: KeyValue,
        /// What the sort key begins with.
        sort_prefix: String,
        /// The key of an item that was found already, and is not wanted.
        before: Option<ItemKey>,
    },
    /// Keys that an index holds for a value. A suggestion only: an index lags.
    Suggested {
        /// The table.
        table: Table,
        /// The index.
        index: String,
        /// The index's partition key.
        partition: KeyValue,
        /// How many are wanted at most.
        limit: usize,
    },
}

/// The answer to a [`Read`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// The item; `None` where there is none.
    Item(Option<Item>),
    /// The suggested items' keys and what else the index projects.
    Suggested(Vec<Item>),
}

/// A record to be parked, now and for ever, beside the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parking {
    /// The record's place in the event.
    pub index: usize,
    /// Why it can never be applied: a sentence without item contents.
    pub reason: String,
    /// What of the record is parked, where it is not all of it: a row's key, say.
    pub part: Option<String>,
}

/// What a task wants next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Answers, through [`Task::answered`].
    Read(Vec<Read>),
    /// Commits, through [`Task::committed`]. No two of them touch the same item.
    Commit(Vec<Transaction>),
    /// Parked records, through [`Task::parked`].
    Park(Vec<Parking>),
    /// Nothing: every record has its outcome.
    Done,
}

/// Why a transaction was not committed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// What was read has changed since: these writes' conditions failed, by index.
    Changed(Vec<usize>),
    /// Another transaction was at the same items, or the table had no capacity.
    Contended,
    /// It is not known whether it was committed: the response was lost.
    Unknown,
    /// It can never be committed: these writes, by index, are not valid. Empty where the service
    /// does not say which.
    Invalid(Vec<usize>),
}

/// How a commit ended.
pub type Committed = Result<(), Refusal>;

/// The work of one view on some records of a batch: decides, and never reads or writes by itself.
///
/// An engine calls [`Task::next`] until it says [`Step::Done`], and answers each step by the method
/// that the step names; until it is answered, a task goes on to say the same. An engine may stop at
/// any time: whatever has no outcome then has to be delivered again, which must be harmless.
pub trait Task: Send + std::fmt::Debug {
    /// What the task wants next, given all that it was told.
    fn next(&mut self) -> Step;

    /// Answers to the last [`Step::Read`].
    fn answered(&mut self, answers: Vec<(Read, Answer)>);

    /// Ends of the last [`Step::Commit`], one for each transaction, in order.
    fn committed(&mut self, results: Vec<Committed>);

    /// The last [`Step::Park`] is durable.
    fn parked(&mut self);

    /// The records of the task and their outcomes; `None` where it is still open.
    fn outcomes(&self) -> Vec<(usize, Option<Outcome>)>;
}
