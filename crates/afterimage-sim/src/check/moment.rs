//! What holds at every moment: no row is missing or doubled, what is the application's stays, counts
//! add up to the ledger, and none is negative.

use crate::world::MESSAGES;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use afterimage::{Item, View, Views};
use afterimage_schema::Table;

use super::Violation;
use crate::WorldError;
use crate::dynamodb::{Dynamodb, Watcher, text};
use crate::trace::Trace;
use crate::world::{Application, Ground, own_attributes, table_name};

/// Looks at the tables after each write. The emulator carries out one request at a time, so that what
/// is read here is what a serializable read would see between two writes.
pub struct Moment {
    dynamodb: Dynamodb,
    application: Arc<Mutex<Application>>,
    views: Views,
    trace: Trace,
    /// The derived items as they were last seen.
    derived: Mutex<Option<Ground>>,
    violation: Mutex<Option<Violation>>,
}

impl Moment {
    /// A watcher of these tables.
    #[must_use]
    pub fn new(
        dynamodb: Dynamodb,
        application: Arc<Mutex<Application>>,
        views: Views,
        trace: Trace,
    ) -> Self {
        let (derived, violation) = (Mutex::new(None), Mutex::new(None));
        Self { dynamodb, application, views, trace, derived, violation }
    }

    /// The first thing that did not hold.
    #[must_use]
    pub fn violation(&self) -> Option<Violation> {
        self.violation.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks at what a request can have changed.
    fn look(&self, request: &str) -> Result<Option<Violation>, WorldError> {
        if request.contains(&table_name(&MESSAGES)) {
            let violation = self.rows(&Ground::read(&self.dynamodb, &MESSAGES)?);
            if violation.is_some() {
                return Ok(violation);
            }
        }
        if !request.contains("ledger#") && !request.contains("albums-") {
            return Ok(None);
        }
        // Nobody but the clients that are watched writes derived items.
        let mut derived = self.derived.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *derived {
            Some(derived) => derived.follow(&self.dynamodb, &serde_json::from_str(request)?)?,
            None => *derived = Some(Ground::read(&self.dynamodb, &Table::DERIVED)?),
        }
        derived.as_ref().map_or(Ok(None), |derived| self.counts(derived))
    }

    fn counts(&self, derived: &Ground) -> Result<Option<Violation>, WorldError> {
        for view in self.views.iter() {
            let View::Count(view) = view else { continue };
            let counts = derived.counts(view);
            let mut sums: BTreeMap<String, i128> = BTreeMap::new();
            for entry in derived.ledger(view)?.values() {
                if let Some(group) = entry.standing.group() {
                    *sums.entry(view.target.sort.render(group)).or_insert(0) += 1;
                }
            }
            if counts != sums {
                let what =
                    format!("the counts of {} are {counts:?}, its ledger has {sums:?}", view.name);
                return Ok(Some(Violation { invariant: "I3", what }));
            }
        }
        Ok(None)
    }

    fn rows(&self, messages: &Ground) -> Option<Violation> {
        let mut standing: BTreeMap<(String, String), Vec<Item>> = BTreeMap::new();
        for row in messages.with_prefix("GRP#") {
            let owner = text(row, "pk").and_then(|it| it.strip_prefix("GRP#"));
            let place = owner.zip(text(row, "message_group_uuid"));
            if let Some((owner, group)) = place {
                let place = (owner.to_owned(), group.to_owned());
                standing.entry(place).or_default().push(own_attributes(row));
            }
        }
        let application = self.application.lock().unwrap_or_else(PoisonError::into_inner);
        for (place, own) in &application.rows {
            let (owner, group) = place;
            let found = standing.remove(place).unwrap_or_default();
            let what = match found.as_slice() {
                [found] if found == own => continue,
                [found] => format!(
                    "the row of {owner} in {group} has {found:?}, the application left {own:?}"
                ),
                [] => format!("the row of {owner} in {group} is missing"),
                more => format!("{owner} has {} rows in {group}", more.len()),
            };
            return Some(Violation { invariant: "I3", what });
        }
        let (owner, group) = standing.into_keys().next()?;
        let what = format!("{owner} has a row in {group} that the application deleted");
        Some(Violation { invariant: "I3", what })
    }
}

impl Watcher for Moment {
    fn written(&self, request: &str) {
        let mut violation = self.violation.lock().unwrap_or_else(PoisonError::into_inner);
        if violation.is_some() {
            return;
        }
        *violation = self.look(request).unwrap_or_else(|error| {
            Some(Violation {
                invariant: "-",
                what: format!("a look at the tables failed: {error}"),
            })
        });
        if let Some(violation) = &*violation {
            self.trace.note(|| format!("VIOLATION  {violation}"));
        }
    }
}
