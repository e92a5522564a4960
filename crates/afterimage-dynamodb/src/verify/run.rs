//! A verification under way, its limits, and what it finds about a view.

use std::time::Duration;

use afterimage::verify::Drift;
use afterimage::{AttributeValue, Catalog, Item};

use crate::store::Session;

/// Equal looks, one after the other, after which a difference is drift.
pub(super) const LOOK_COUNT: u32 = 4;

/// Looks after which something that still changes is left undecided.
pub(super) const LOOK_COUNT_MAX: u32 = 12;

/// Differences of one view that are looked at again; more are only counted.
pub(super) const CANDIDATE_COUNT_MAX: usize = 1000;

/// How a verification is done.
#[derive(Debug, Clone, Copy)]
pub struct VerifyOptions {
    /// Segments of a scan that are read at once, 1 at least.
    pub segment_count: u32,
    /// How long a difference has to stand still before it is drift.
    pub patience: Duration,
}

/// What a verification found about one view.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ViewReport {
    /// The view's name.
    pub view: String,
    /// Derived items that are not what the fold says, in the order of their names.
    pub drift: Vec<Drift>,
    /// Further differences, which were too many to look at again.
    pub further_count: u64,
    /// What `remove = "skip"` rightly keeps: counted items that are deleted, groups whose newest is.
    pub retained_count: u64,
    /// Differences that parked records explain.
    pub parked_count: u64,
    /// What could not be decided, and why: changes went on, or a parked record does not say.
    pub undecided: Vec<String>,
    /// Source items that were read.
    pub source_item_count: u64,
    /// Groups that were compared.
    pub group_count: u64,
}

impl ViewReport {
    /// Whether derived items differ from the fold.
    #[must_use]
    pub fn is_drifted(&self) -> bool {
        !self.drift.is_empty() || self.further_count > 0
    }

    /// Whether something could not be decided.
    #[must_use]
    pub fn is_undecided(&self) -> bool {
        !self.undecided.is_empty()
    }
}

/// A verification under way.
pub(super) struct Run<'a> {
    pub session: &'a Session<'a>,
    pub catalog: &'a Catalog,
    pub options: VerifyOptions,
}

impl Run<'_> {
    /// Waits a part of the time that there is patience for.
    pub(super) async fn pause(&self) {
        tokio::time::sleep(self.options.patience / LOOK_COUNT).await;
    }
}

/// The partition key of an item of `derived`.
pub(super) fn partition_of(item: &Item) -> Option<&str> {
    item.get("pk").and_then(AttributeValue::as_string)
}
