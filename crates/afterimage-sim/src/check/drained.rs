//! What holds once everything is drained: derived state is the fold of ground state.

use crate::world::{ALBUMS, MESSAGES};
use std::collections::{BTreeMap, BTreeSet};

use afterimage::count::{Contribution, CountView, Removal, Standing, contribution_of_item};
use afterimage::{Catalog, Item, ItemKey, View, Views};
use afterimage_schema::Table;
use serde_json::Value;
use testkit::oracle::{GroundState, Oracle};

use super::Violation;
use crate::WorldError;
use crate::delivery::Stream;
use crate::dynamodb::{Dynamodb, item_of_request, text};
use crate::world::{Application, Ground, table_name};

/// Everything that is compared.
struct Drained<'a> {
    dynamodb: &'a Dynamodb,
    application: &'a Application,
    stream: &'a Stream,
    albums: Ground,
    derived: Ground,
    catalog: &'a Catalog,
}

/// Looks for a difference between derived state and the fold, and between the ledger and what each
/// album contributes.
///
/// # Errors
/// [`WorldError`] where the tables do not read.
pub fn check_drained(
    dynamodb: &Dynamodb,
    catalog: &Catalog,
    views: &Views,
    oracle: &Oracle,
    application: &Application,
    stream: &Stream,
) -> Result<Option<Violation>, WorldError> {
    let drained = Drained {
        dynamodb,
        application,
        stream,
        albums: Ground::read(dynamodb, &ALBUMS)?,
        derived: Ground::read(dynamodb, &Table::DERIVED)?,
        catalog,
    };
    if let Some(violation) = drained.check_fold(oracle)? {
        return Ok(Some(violation));
    }
    for view in views.iter() {
        let View::Count(view) = view else { continue };
        if let Some(violation) = drained.check_ledger(view)? {
            return Ok(Some(violation));
        }
    }
    Ok(drained.check_parked())
}

fn converges(what: String) -> Violation {
    Violation { invariant: "I1", what }
}

impl Drained<'_> {
    /// The tables as the emulator has them and the application left them: no code of the engine reads
    /// them on their way to the oracle.
    fn check_fold(&self, oracle: &Oracle) -> Result<Option<Violation>, WorldError> {
        let scan = |table: &Table| self.dynamodb.scan(&table_name(table));
        let named = |table: &Table, items: Vec<Value>| (table.logical_name().to_owned(), items);
        let put = |items: &BTreeMap<ItemKey, Value>| items.values().cloned().collect();
        let [albums, messages] = [&ALBUMS, &MESSAGES];
        let ground = GroundState {
            items: [named(albums, scan(albums)?), named(messages, scan(messages)?)].into(),
            delivered: [
                named(albums, put(&self.application.albums)),
                named(messages, put(&self.application.messages)),
            ]
            .into(),
            ..GroundState::default()
        };
        let differences = oracle.differences(&ground, &scan(&Table::DERIVED)?)?;
        Ok(differences.first().map(|difference| converges(difference.to_string())))
    }

    /// The albums that count: those that stand; under `skip` all that ever stood.
    fn counted_albums(&self, view: &CountView) -> Result<BTreeMap<ItemKey, Item>, WorldError> {
        if view.removal == Removal::Skip {
            let item = |(key, item): (&ItemKey, &Value)| Ok((key.clone(), item_of_request(item)?));
            return self.application.albums.iter().map(item).collect();
        }
        let definition = self.catalog.definition(&ALBUMS)?;
        let keyed = |item: &Item| Some((ItemKey::of_item(definition, item)?, item.clone()));
        Ok(self.albums.items().iter().filter_map(keyed).collect())
    }

    fn check_ledger(&self, view: &CountView) -> Result<Option<Violation>, WorldError> {
        let albums = self.counted_albums(view)?;
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
