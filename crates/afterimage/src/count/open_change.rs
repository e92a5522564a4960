//! A source item's change: what its newest record of the batch makes of its ledger entry.

use std::collections::BTreeMap;

use super::contribution::{Contribution, contribution_of_item};
use super::ledger::{Entry, Standing};
use super::view::CountView;
use crate::canary::{InnerCanary, is_planted};
use crate::group_name::GroupName;
use crate::key::ItemKey;
use crate::outcome::Outcome;
use crate::reason::reason;
use crate::record::Record;
use crate::version::Version;

/// Where a record comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The stream, for the first time or again.
    Stream,
    /// The parked records.
    Retry,
}

/// A source item whose newest record of the batch has no outcome yet.
#[derive(Debug)]
pub(super) struct OpenChange {
    pub index: usize,
    pub source_key: ItemKey,
    pub ledger_key: ItemKey,
    pub version: Version,
    delivery: Delivery,
    pub standing: Standing,
    /// Why the record is to be parked, if it is.
    pub parking: Option<String>,
    pub is_parked: bool,
    pub entry: Known,
    /// A commit of this change ended without a response.
    pub may_be_committed: bool,
    pub outcome: Option<Outcome>,
}

/// What is known of a ledger entry.
#[derive(Debug)]
pub(super) enum Known {
    Nothing,
    Entry(Option<Entry>),
}

impl OpenChange {
    pub(super) fn new(view: &CountView, index: usize, record: &Record, delivery: Delivery) -> Self {
        let desired = match &record.image {
            Err(error) => Err(reason(error)),
            Ok(None) => Ok(Standing::Removed),
            Ok(Some(image)) => match contribution_of_item(view, image) {
                Ok(Contribution::Group(group)) => Ok(Standing::Counted { group }),
                Ok(Contribution::None) => Ok(Standing::Uncounted),
                Err(error) => Err(reason(&error)),
            },
        };
        let (standing, parking) = match desired {
            Ok(standing) => (standing, None),
            Err(reason) => (Standing::Parked, Some(reason)),
        };
        Self {
            index,
            source_key: record.key.clone(),
            ledger_key: view.ledger_key(&record.key),
            version: record.version.clone(),
            delivery,
            standing,
            parking,
            is_parked: false,
            entry: Known::Nothing,
            may_be_committed: false,
            outcome: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.outcome.is_none()
    }

    pub(super) fn read_entry(&self) -> Option<&Entry> {
        match &self.entry {
            Known::Nothing => None,
            Known::Entry(entry) => entry.as_ref(),
        }
    }

    pub(super) fn applied_outcome(&self) -> Outcome {
        if self.parking.is_some() { Outcome::Parked } else { Outcome::Applied }
    }

    /// Settles the change if its record, or a newer one, was applied before.
    pub(super) fn settle_if_not_newer(&mut self) {
        let Some(entry) = self.read_entry() else {
            return;
        };
        if self.version > entry.version || is_planted(InnerCanary::NoVersionCheck) {
            return;
        }
        let is_parked_entry = entry.version == self.version && entry.standing == Standing::Parked;
        if self.delivery == Delivery::Retry && is_parked_entry {
            // The entry says of this very record that it is parked: that may be replaced, once.
            self.outcome = self.parking.is_some().then_some(Outcome::Parked);
            return;
        }
        let is_own = self.may_be_committed && entry.version == self.version;
        self.outcome = Some(if is_own { self.applied_outcome() } else { Outcome::Duplicate });
    }

    /// The difference that the change makes to each group's count.
    pub(super) fn deltas(&self) -> BTreeMap<GroupName, i64> {
        let before = self.read_entry().and_then(|entry| entry.standing.group());
        let after = self.standing.group();
        let mut deltas = BTreeMap::new();
        if before != after {
            deltas.extend(before.map(|group| (group.clone(), -1)));
            deltas.extend(after.map(|group| (group.clone(), 1)));
        }
        deltas
    }

    /// The record can never be committed as it is: it is parked instead, and adds nothing.
    pub(super) fn park_instead(&mut self, reason: &str) {
        if self.parking.is_some() {
            // Not even the parked state can be written; whatever is in the way may be mended.
            self.outcome = Some(Outcome::Failed);
        } else {
            self.parking = Some(reason.to_owned());
            self.standing = Standing::Parked;
        }
    }
}
