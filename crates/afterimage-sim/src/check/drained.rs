//! What holds once everything is drained: derived state is the fold of ground state.

use crate::world::{ALBUMS, MESSAGES};
use std::collections::{BTreeMap, BTreeSet};

use afterimage::count::{Contribution, CountView, Removal, Standing, contribution_of_item};
use afterimage::latest::LatestView;
use afterimage::{Catalog, Item, ItemKey, View, Views, fold};
use afterimage_schema::Table;

use super::Violation;
use crate::delivery::Stream;
use crate::dynamodb::{Dynamodb, text};
use crate::world::{Application, Ground, WorldError};

/// Everything that is compared.
struct Drained<'a> {
    application: &'a Application,
    stream: &'a Stream,
    albums: Ground,
    messages: Ground,
    derived: Ground,
    catalog: &'a Catalog,
}

/// Looks for a difference between derived state and the fold.
///
/// # Errors
/// [`WorldError`] where the tables do not read.
pub fn check_drained(
    dynamodb: &Dynamodb,
    catalog: &Catalog,
    views: &Views,
    application: &Application,
    stream: &Stream,
) -> Result<Option<Violation>, WorldError> {
    let drained = Drained {
        application,
        stream,
        albums: Ground::read(dynamodb, &ALBUMS)?,
        messages: Ground::read(dynamodb, &MESSAGES)?,
        derived: Ground::read(dynamodb, &Table::DERIVED)?,
        catalog,
    };
    for view in views.iter() {
        let violation = match view {
            View::Count(view) => drained.check_counts(view)?,
            View::Latest(view) => drained.check_rows(view),
        };
        if violation.is_some() {
            return Ok(violation);
        }
    }
    Ok(drained.check_parked())
}

fn converges(what: String) -> Violation {
    Violation { invariant: "I1", what }
}

impl Drained<'_> {
    /// The albums that count: those that stand; under `skip` all that ever stood.
    fn counted_albums(&self, view: &CountView) -> Result<BTreeMap<ItemKey, Item>, WorldError> {
        if view.removal == Removal::Skip {
            return Ok(self.application.albums.clone());
        }
        let definition = self.catalog.definition(&ALBUMS)?;
        let keyed = |item: &Item| Some((ItemKey::of_item(definition, item)?, item.clone()));
        Ok(self.albums.items().iter().filter_map(keyed).collect())
    }

    fn check_counts(&self, view: &CountView) -> Result<Option<Violation>, WorldError> {
        let albums = self.counted_albums(view)?;
        let usable = albums.values().filter(|item| contribution_of_item(view, item).is_ok());
        let expected = match fold::counts(view, usable) {
            Ok(counts) => counts.into_iter().map(|(group, it)| (group, i128::from(it))).collect(),
            Err(error) => return Ok(Some(converges(error.to_string()))),
        };
        let found = self.derived.counts(view);
        if found != expected {
            let what =
                format!("{}: the fold is {expected:?}, derived items say {found:?}", view.name);
            return Ok(Some(converges(what)));
        }
        let ledger = self.derived.ledger(view)?;
        for key in self.application.albums.keys() {
            let wanted = standing(view, albums.get(key));
            let found = ledger.get(&key.sha256_hex()).map(|entry| &entry.standing);
            if found != Some(&wanted) {
                let what =
                    format!("{}: the ledger has {found:?} for {key}, not {wanted:?}", view.name);
                return Ok(Some(converges(what)));
            }
        }
        Ok(None)
    }

    fn check_rows(&self, view: &LatestView) -> Option<Violation> {
        let rows = self.messages.with_prefix("GRP#");
        let faults = fold::row_faults(view, self.application.messages.values(), rows);
        let ((owner, group), fault) = faults.into_iter().next()?;
        Some(converges(format!("{}: the row of {owner} in {group}: {fault:?}", view.name)))
    }

    /// Parked are exactly the damaged records, and those without a usable year that are the newest of
    /// their album; one that was superseded before it was looked at may be or not.
    fn check_parked(&self) -> Option<Violation> {
        let place =
            |view: &str, label: &str, number: &str| format!("parked#{view}#{label}#{number}");
        let mut required = BTreeSet::new();
        let mut possible = BTreeSet::new();
        let mut newest: BTreeMap<&str, String> = BTreeMap::new();
        for record in self.stream.delivered() {
            if record.is_damaged {
                required.insert(place("-", &record.label, &record.sequence_number));
            } else if record.table == ALBUMS {
                let key = place("year-counts", &record.label, &record.sequence_number);
                newest.insert(&record.item_key, key.clone());
                if record.raw.get().contains(r#""Year":{"L""#) {
                    possible.insert(key);
                }
            }
        }
        required.extend(newest.into_values().filter(|key| possible.contains(key)));
        let parked: BTreeSet<_> =
            self.derived.with_prefix("parked#").filter_map(|it| text(it, "pk")).collect();
        if let Some(missing) = required.iter().find(|it| !parked.contains(it.as_str())) {
            return Some(Violation { invariant: "I5", what: format!("{missing} is missing") });
        }
        let surplus = parked.iter().find(|it| !required.contains(**it) && !possible.contains(**it));
        surplus.map(|it| Violation { invariant: "I5", what: format!("{it} can be applied") })
    }
}

/// How the ledger has to have an album.
fn standing(view: &CountView, album: Option<&Item>) -> Standing {
    match album.map(|album| contribution_of_item(view, album)) {
        None => Standing::Removed,
        Some(Ok(Contribution::Group(group))) => Standing::Counted { group },
        Some(Ok(Contribution::None)) => Standing::Uncounted,
        Some(Err(_)) => Standing::Parked,
    }
}
