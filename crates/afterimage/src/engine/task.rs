//! The contract between a view kind and the engine that does its reading and writing.

use afterimage_schema::Table;

use crate::attribute_value::Item;
use crate::key::{ItemKey, KeyValue};
use crate::outcome::Outcome;
use crate::parked::ParkedRows;
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

/// A record, or rows that it tells of, to be parked beside the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parking {
    /// The record's place in the event.
    pub index: usize,
    /// Why it can never be applied: a sentence without item contents.
    pub reason: String,
    /// The rows that are parked, if it is rows and not the record. Whoever parks them again counts once more.
    pub rows: Option<ParkedRows>,
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
    /// Another transaction was at the same items.
    Contended,
    /// The table had no capacity.
    Throttled,
    /// It is not known whether it was committed: the response was lost.
    Unknown,
    /// It can never be committed: these writes, by index, are not valid. Empty where the service
    /// does not say which.
    Invalid(Vec<usize>),
}

/// How a commit ended.
pub type Committed = Result<(), Refusal>;

/// The work of one view on some records of a batch: a state machine that decides, and never reads, writes, waits
/// or asks for the time by itself.
///
/// # How it is driven
/// An engine calls [`next`](Task::next), does what the step says, and answers by the method that the step names:
///
/// | step | answered by | once it |
/// |---|---|---|
/// | [`Step::Read`] | [`answered`](Task::answered) | has the answers |
/// | [`Step::Commit`] | [`committed`](Task::committed) | knows how each transaction ended |
/// | [`Step::Park`] | [`parked`](Task::parked) | has every piece in the table |
/// | [`Step::Done`] | nothing: the work is over | |
///
/// # What may be called twice
/// `next` without an answer in between says the same step again, and costs the planning again: an engine keeps the
/// step that it asked for. `outcomes` may be called at any time. An answer to a step that was not asked for, or was
/// answered before, changes nothing but what the task knows of items.
///
/// # What an answer must hold
/// Consistent reads, made after the step was asked for. A read that is left out is asked for again. A transaction
/// whose end is left out is planned again: if it was committed, its conditions fail, and the task reads again.
///
/// # When an engine stops
/// At any step, or by being killed. What has no outcome then has to be delivered again. That is harmless, since each
/// commit is conditional on what was read, and leaves nothing half done: whoever comes next goes on from the tables.
///
/// # What it costs
/// Planning is pure and takes time in proportion to the records, groups and rows of the task; `next` clones the
/// transactions that it returns. A task is set back only by others, and it is the engine that bounds how often.
pub trait Task: Send + std::fmt::Debug {
    /// What the task wants next, given all that it was told.
    fn next(&mut self) -> Step;

    /// Answers to the last [`Step::Read`]; those of other reads are left aside or kept, and harm nothing.
    fn answered(&mut self, answers: Vec<(Read, Answer)>);

    /// Ends of the last [`Step::Commit`], one for each transaction, in order.
    fn committed(&mut self, results: Vec<Committed>);

    /// The last [`Step::Park`] is durable.
    fn parked(&mut self);

    /// The places in the event of the task's records, and their outcomes; `None` while one is open.
    fn outcomes(&self) -> Vec<(usize, Option<Outcome>)>;
}
