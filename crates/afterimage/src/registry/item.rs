//! The registry's item.
//!
//! | attribute | value |
//! |---|---|
//! | `pk`, `sk` | `registry`, `views` |
//! | `layout` | the version of the layout of `derived` |
//! | `revision` | counts the writes of this item |
//! | `region` | the Region whose streams this `derived` serves |
//! | `views` | list of maps: `name`, `generation`, `state`, `since`, `fingerprint`, `table` (its real name), `settings` |
//! | `next_generation` | map: view → the next generation's number |

use std::collections::BTreeMap;
use std::fmt;

use afterimage_schema::TableDefinition;

use super::{DefinitionError, Fingerprint};
use crate::attribute_value::{AttributeValue, Item};
use crate::key::ItemKey;
use crate::keys::DerivedKey;
use crate::views::{RowSettings, Settings};
use crate::write::{Action, Clause, Transaction, Write};

/// The version of the layout of `derived` that this program reads and writes.
pub const LAYOUT_VERSION: u64 = 1;

/// What a generation of a view is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Maintained. What was there before it is not known to be in it.
    Building,
    /// Maintained, and whole.
    Live,
    /// Maintained, and no longer read.
    Retired,
    /// Not maintained: it is being deleted.
    Dropping,
}

impl State {
    const ALL: [State; 4] = [State::Building, State::Live, State::Retired, State::Dropping];

    /// The name in the registry.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            State::Building => "building",
            State::Live => "live",
            State::Retired => "retired",
            State::Dropping => "dropping",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// One generation of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// The view's name.
    pub name: String,
    /// Its number, from 1.
    pub generation: u64,
    /// What it is at.
    pub state: State,
    /// Until when records are in doubt; `None` if none is.
    pub since: Option<String>,
    /// Its definition.
    pub fingerprint: Fingerprint,
    /// The real name of the table that it reads.
    pub table: String,
    /// What may change without making it another view.
    pub settings: Settings,
}

/// Which views are maintained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registry {
    /// Counts the writes of this item.
    pub revision: u64,
    /// The Region whose streams this `derived` serves; a replica of a global table has every change in a
    /// stream of its own (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/globaltables-streams.html>).
    pub region: String,
    /// The generations, in the order in which they were registered.
    pub views: Vec<Registration>,
    /// By view, the number of its next generation; never reused.
    pub next_generation: BTreeMap<String, u64>,
}

/// Why the registry cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Another version of this program laid it out.
    #[error(
        "the registry has the layout {found}, and this version of Afterimage knows only {LAYOUT_VERSION}: use the version that wrote it, or a later one"
    )]
    Layout {
        /// The layout's version.
        found: String,
    },
    /// An attribute is missing, or not of its type.
    #[error("the registry has no usable `{attribute}`: it was changed by another program")]
    Attribute {
        /// The attribute.
        attribute: &'static str,
    },
}

impl Registry {
    /// The key of its item.
    #[must_use]
    pub fn key() -> ItemKey {
        DerivedKey::Registry.key()
    }

    /// The first generation of a view.
    #[must_use]
    pub fn of_view(&self, name: &str) -> Option<&Registration> {
        self.views.iter().find(|it| it.name == name)
    }

    /// Puts this registry in the place of the one that was read: of the same revision, or of none.
    #[must_use]
    pub fn replacing(&self, read: Option<&Registry>) -> Transaction {
        let condition = match read {
            None => Clause::Missing("pk".to_owned()),
            Some(read) => {
                Clause::Equals("revision".to_owned(), AttributeValue::whole(read.revision))
            }
        };
        let write = Write {
            key: Self::key(),
            action: Action::Put(self.to_item()),
            conditions: vec![condition],
            read_byte_count: 0,
        };
        Transaction { writes: vec![write] }
    }

    /// The item.
    #[must_use]
    pub fn to_item(&self) -> Item {
        let mut item = Self::key().to_item(&TableDefinition::derived());
        let views = self.views.iter().map(|it| AttributeValue::M(it.to_map())).collect();
        let next = self.next_generation.iter();
        let next = next.map(|(name, number)| (name.clone(), AttributeValue::whole(*number)));
        item.extend([
            ("layout".to_owned(), AttributeValue::whole(LAYOUT_VERSION)),
            ("revision".to_owned(), AttributeValue::whole(self.revision)),
            ("region".to_owned(), AttributeValue::string(&self.region)),
            ("views".to_owned(), AttributeValue::L(views)),
            ("next_generation".to_owned(), AttributeValue::M(next.collect())),
        ]);
        item
    }

    /// Reads the item.
    ///
    /// # Errors
    /// [`RegistryError`] if another version laid it out, or if it is damaged.
    pub fn from_item(item: &Item) -> Result<Self, RegistryError> {
        match item.get("layout") {
            Some(AttributeValue::N(found)) if found.as_str() == LAYOUT_VERSION.to_string() => {}
            Some(AttributeValue::N(found)) => {
                return Err(RegistryError::Layout { found: found.to_string() });
            }
            _ => return Err(RegistryError::Attribute { attribute: "layout" }),
        }
        let Some(AttributeValue::L(views)) = item.get("views") else {
            return Err(RegistryError::Attribute { attribute: "views" });
        };
        let Some(AttributeValue::M(next)) = item.get("next_generation") else {
            return Err(RegistryError::Attribute { attribute: "next_generation" });
        };
        let next = next.keys().map(|name| {
            whole(next, name)
                .map(|number| (name.clone(), number))
                .ok_or(RegistryError::Attribute { attribute: "next_generation" })
        });
        Ok(Self {
            revision: whole(item, "revision")
                .ok_or(RegistryError::Attribute { attribute: "revision" })?,
            region: text(item, "region").ok_or(RegistryError::Attribute { attribute: "region" })?,
            views: views.iter().map(Registration::from_value).collect::<Result<_, _>>()?,
            next_generation: next.collect::<Result<_, _>>()?,
        })
    }
}

impl Registration {
    /// Why this version cannot maintain the generation, whatever its definition is.
    #[must_use]
    pub fn unsupported(&self) -> Option<DefinitionError> {
        let what = match (self.generation, &self.since, self.state) {
            (1, None, State::Building | State::Live | State::Retired) => return None,
            (1, None, State::Dropping) => "being dropped".to_owned(),
            (1, Some(_), _) => "being backfilled".to_owned(),
            (generation, _, _) => format!("of generation {generation}"),
        };
        Some(DefinitionError::Unsupported(what))
    }

    fn to_map(&self) -> Item {
        let mut map = Item::from([
            ("name".to_owned(), AttributeValue::string(&self.name)),
            ("generation".to_owned(), AttributeValue::whole(self.generation)),
            ("state".to_owned(), AttributeValue::string(self.state.name())),
            ("fingerprint".to_owned(), AttributeValue::string(self.fingerprint.as_str())),
            ("table".to_owned(), AttributeValue::string(&self.table)),
            ("settings".to_owned(), AttributeValue::M(settings_to_map(&self.settings))),
        ]);
        if let Some(since) = &self.since {
            map.insert("since".to_owned(), AttributeValue::string(since));
        }
        map
    }

    fn from_value(value: &AttributeValue) -> Result<Self, RegistryError> {
        let AttributeValue::M(map) = value else {
            return Err(RegistryError::Attribute { attribute: "views" });
        };
        let needed = |attribute| text(map, attribute).ok_or(RegistryError::Attribute { attribute });
        let state = needed("state")?;
        let state = State::ALL.into_iter().find(|it| it.name() == state);
        let fingerprint = needed("fingerprint")?.parse();
        Ok(Self {
            name: needed("name")?,
            generation: whole(map, "generation")
                .ok_or(RegistryError::Attribute { attribute: "generation" })?,
            state: state.ok_or(RegistryError::Attribute { attribute: "state" })?,
            since: map.contains_key("since").then(|| needed("since")).transpose()?,
            fingerprint: fingerprint
                .map_err(|_| RegistryError::Attribute { attribute: "fingerprint" })?,
            table: needed("table")?,
            settings: settings_of_map(map.get("settings"))
                .ok_or(RegistryError::Attribute { attribute: "settings" })?,
        })
    }
}

fn settings_to_map(settings: &Settings) -> Item {
    let rows = settings.rows.as_ref().map(|rows| {
        let may_gain = rows.may_gain.iter().map(AttributeValue::string).collect();
        let rows = Item::from([
            ("max".to_owned(), AttributeValue::whole(rows.max as u64)),
            ("may_gain".to_owned(), AttributeValue::L(may_gain)),
        ]);
        ("rows".to_owned(), AttributeValue::M(rows))
    });
    rows.into_iter().collect()
}

fn settings_of_map(value: Option<&AttributeValue>) -> Option<Settings> {
    let Some(AttributeValue::M(map)) = value else {
        return None;
    };
    let rows = match map.get("rows") {
        None => None,
        Some(AttributeValue::M(rows)) => {
            let Some(AttributeValue::L(may_gain)) = rows.get("may_gain") else {
                return None;
            };
            let names = may_gain.iter().map(|it| it.as_string().map(str::to_owned));
            let max = usize::try_from(whole(rows, "max")?).ok()?;
            Some(RowSettings { max, may_gain: names.collect::<Option<_>>()? })
        }
        Some(_) => return None,
    };
    Some(Settings { rows })
}

fn text(item: &Item, attribute: &str) -> Option<String> {
    item.get(attribute).and_then(AttributeValue::as_string).map(str::to_owned)
}

fn whole(item: &Item, attribute: &str) -> Option<u64> {
    match item.get(attribute) {
        Some(AttributeValue::N(number)) => number.as_str().parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::definition::tests::definition;
    use super::*;

    fn any_settings() -> impl Strategy<Value = Settings> {
        let rows = (1..5000_usize, proptest::collection::vec("[a-z]{1,4}", 0..3))
            .prop_map(|(max, may_gain)| RowSettings { max, may_gain });
        proptest::option::of(rows).prop_map(|rows| Settings { rows })
    }

    fn any_registration() -> impl Strategy<Value = Registration> {
        let parts = (
            "[a-z][a-z0-9-]{0,9}",
            1..9_u64,
            0..4_usize,
            proptest::option::of("[0-9TZ:-]{1,20}"),
            any_settings(),
        );
        parts.prop_map(|(name, generation, state, since, settings)| Registration {
            name,
            generation,
            state: State::ALL[state],
            since,
            fingerprint: definition("", "").fingerprint().clone(),
            table: "shop-orders".to_owned(),
            settings,
        })
    }

    fn any_registry() -> impl Strategy<Value = Registry> {
        let parts = (
            1..u64::MAX,
            proptest::collection::vec(any_registration(), 0..4),
            proptest::collection::btree_map("[a-z]{1,5}", 1..9_u64, 0..3),
        );
        parts.prop_map(|(revision, views, next_generation)| Registry {
            revision,
            region: "eu-west-1".to_owned(),
            views,
            next_generation,
        })
    }

    proptest! {
        #[test]
        fn a_registry_is_the_same_after_its_item(registry in any_registry()) {
            prop_assert_eq!(Registry::from_item(&registry.to_item()), Ok(registry));
        }

        #[test]
        fn a_damaged_registry_is_refused_and_never_read_otherwise(
            registry in any_registry(),
            place in any::<proptest::sample::Index>(),
        ) {
            let mut item = registry.to_item();
            item.retain(|name, _| name != "pk" && name != "sk");
            let name = place.get(&item.keys().cloned().collect::<Vec<_>>()).clone();
            item.insert(name, AttributeValue::Null);
            prop_assert!(Registry::from_item(&item).is_err());
        }
    }

    #[test]
    fn the_layout_of_another_version_is_refused() {
        let registry = Registry {
            revision: 1,
            region: "eu-west-1".to_owned(),
            views: Vec::new(),
            next_generation: BTreeMap::new(),
        };
        let mut item = registry.to_item();
        item.insert("layout".to_owned(), AttributeValue::whole(2));
        assert_eq!(
            Registry::from_item(&item).expect_err("refused").to_string(),
            "the registry has the layout 2, and this version of Afterimage knows only 1: use the version that wrote it, or a later one"
        );
    }

    #[test]
    fn a_registry_replaces_the_one_that_was_read() {
        let registry = Registry {
            revision: 8,
            region: "eu-west-1".to_owned(),
            views: Vec::new(),
            next_generation: BTreeMap::new(),
        };
        let conditions = |read: Option<&Registry>| {
            registry
                .replacing(read)
                .writes
                .into_iter()
                .flat_map(|it| it.conditions)
                .collect::<Vec<_>>()
        };
        assert_eq!(conditions(None), [Clause::Missing("pk".to_owned())]);
        assert_eq!(
            conditions(Some(&registry)),
            [Clause::Equals("revision".to_owned(), AttributeValue::whole(8))]
        );
    }
}
