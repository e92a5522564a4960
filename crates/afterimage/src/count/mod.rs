//! `count` views: how many source items each group has, kept exact by a ledger.
//!
//! The ledger has one entry per source item: the version of its newest applied record, and what the
//! item contributes. One transaction writes the entry, on condition that it still is as read, and
//! adds the difference to the counts: neither can happen without the other, nor twice.

mod contribution;
mod ledger;
mod open;
mod open_change;
mod pack;
mod task;
mod total;
mod transaction_size;
mod view;

pub use contribution::{Contribution, GroupError, contribution_of_item, render_group};
pub use ledger::{Entry, LedgerError, Standing};
pub use view::{CountView, Removal, SortTemplate, Target};
