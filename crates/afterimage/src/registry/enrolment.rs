//! How views come into the registry.

use std::collections::{BTreeMap, BTreeSet};

use afterimage_schema::TableNameError;

use super::{
    Definition, DefinitionError, Difference, Fingerprint, OwnViews, Registration, Registry, State,
    differences,
};
use crate::views::{DocumentError, Settings, Views};

/// Views that a registry holds: each invocation reads the list, and an item has at most 400 KB
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
pub const VIEW_COUNT_MAX: usize = 200;

/// What stands before a file is registered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Standing {
    /// Real names of the source tables that hold items.
    pub filled_tables: BTreeSet<String>,
    /// Views of which `derived` holds a ledger or heads.
    pub derived_views: BTreeSet<String>,
    /// Views whose target holds derived items.
    pub filled_targets: BTreeSet<String>,
}

/// Why a file is not registered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A registered view is another one in the file.
    #[error("{difference}; {}", difference.fix())]
    Differs {
        /// The difference.
        difference: Difference,
    },
    /// A new view would miss what its table holds.
    #[error(
        "view `{view}` is not registered, and its table `{table}` holds items, which it would not count; take it out of the file, or start it over an empty table: this version of Afterimage does not fill a view from a table"
    )]
    NeedsBackfill {
        /// The view.
        view: String,
        /// The real name of its table.
        table: String,
    },
    /// A new view and a registered one write the same items.
    #[error("the file does not go together with what is registered: {0}")]
    Views(DocumentError),
    /// `derived` holds what a view wrote that is not registered.
    #[error(
        "view `{view}` is not registered, and `derived` already holds items that it would add to; give the view another name and another target"
    )]
    StandingTarget {
        /// The view.
        view: String,
    },
    /// There are more views than an item holds.
    #[error("there would be {count} registered views, and the registry holds {VIEW_COUNT_MAX}")]
    TooMany {
        /// How many there would be.
        count: usize,
    },
    /// A table has no real name.
    #[error(transparent)]
    Names(#[from] TableNameError),
}

/// Registers a file: new views over empty tables as live ones. A view that `derived` already holds while there
/// is no registry was made by a version without one: it goes on as generation 1. Settings become those of the
/// file. Returns the registry as it is then; `None` if there is nothing to write.
///
/// # Errors
/// Every reason why the file cannot be registered; then nothing is to be written.
pub fn enrol(
    own: &OwnViews,
    read: Option<&Registry>,
    registered: &BTreeMap<Fingerprint, Result<Definition, DefinitionError>>,
    standing: &Standing,
    region: &str,
) -> Result<Option<Registry>, Vec<Refused>> {
    let definitions = own.definitions().map_err(|error| vec![error.into()])?;
    let mut registry = read.cloned().unwrap_or_else(|| empty(region));
    let mut refused: Vec<_> = differences(&definitions, &registry, registered)
        .into_iter()
        .filter(|it| matches!(it, Difference::Changed { .. } | Difference::Unreadable { .. }))
        .map(|difference| Refused::Differs { difference })
        .collect();
    let mut new = Vec::new();
    for (view, definition) in own.views.iter().zip(definitions) {
        let (name, settings) = (view.name(), view.settings());
        if let Some(known) = registry.views.iter_mut().find(|it| it.name == name) {
            known.settings = settings;
            continue;
        }
        let (view, table) = (name.to_owned(), definition.table_name().to_owned());
        let state = match read {
            None if standing.derived_views.contains(name) => State::Building,
            // What is refused is still looked at beside the others: every reason is reported.
            _ if standing.derived_views.contains(name)
                || standing.filled_targets.contains(name) =>
            {
                refused.push(Refused::StandingTarget { view });
                State::Building
            }
            _ if standing.filled_tables.contains(&table) => {
                refused.push(Refused::NeedsBackfill { view, table });
                State::Building
            }
            _ => State::Live,
        };
        if let Some(next) = registry.next_generation.get(name).filter(|next| **next != 1) {
            let reason = DefinitionError::Unsupported(format!("of generation {next}"));
            let difference = Difference::Unreadable { view: name.to_owned(), reason };
            refused.push(Refused::Differs { difference });
        }
        new.push((definition, settings, state));
    }
    let documents = registry.views.iter().filter_map(|it| {
        let definition = registered.get(&it.fingerprint)?.as_ref().ok()?;
        Some((definition.document(), &it.settings))
    });
    let documents = documents.chain(new.iter().map(|(it, settings, _)| (it.document(), settings)));
    if let Err(error) = Views::from_documents(documents) {
        refused.push(Refused::Views(error));
    }
    let count = registry.views.len() + new.len();
    if count > VIEW_COUNT_MAX {
        refused.push(Refused::TooMany { count });
    }
    if !refused.is_empty() {
        return Err(refused);
    }
    for (definition, settings, state) in new {
        add(&mut registry, &definition, settings, state);
    }
    if read == Some(&registry) {
        return Ok(None);
    }
    registry.revision = registry.revision.saturating_add(1);
    Ok(Some(registry))
}

/// Registers a file when there is no registry, without looking at the tables. Every view becomes generation 1,
/// and it is unknown whether the view covers what its table already held.
///
/// # Errors
/// [`TableNameError`] if a table has no real name.
pub fn enrol_unseen(own: &OwnViews, region: &str) -> Result<Registry, TableNameError> {
    let mut registry = empty(region);
    registry.revision = 1;
    for (view, definition) in own.views.iter().zip(own.definitions()?) {
        add(&mut registry, &definition, view.settings(), State::Building);
    }
    Ok(registry)
}

fn empty(region: &str) -> Registry {
    Registry {
        revision: 0,
        region: region.to_owned(),
        views: Vec::new(),
        next_generation: BTreeMap::new(),
    }
}

fn add(registry: &mut Registry, definition: &Definition, settings: Settings, state: State) {
    let name = definition.view_name().to_owned();
    let next = registry.next_generation.entry(name.clone()).or_insert(1);
    let generation = *next;
    *next = next.saturating_add(1);
    registry.views.push(Registration {
        name,
        generation,
        state,
        since: None,
        fingerprint: definition.fingerprint().clone(),
        table: definition.table_name().to_owned(),
        settings,
    });
}

#[cfg(test)]
pub(super) mod tests {
    use afterimage_schema::TableNames;
    use expect_test::{Expect, expect};

    use super::super::definition::tests::views;
    use super::*;

    /// The views with tables named `shop-orders` and so on.
    pub(crate) fn own(views: &Views) -> OwnViews {
        let names = TableNames::from_lookup(&views.all_tables(), |variable| {
            let table = variable.strip_suffix("_TABLE")?;
            Some(format!("shop-{}", table.to_ascii_lowercase()))
        });
        OwnViews { views: views.clone(), names: names.expect("names") }
    }

    /// A registry of these definitions, all live.
    pub(crate) fn registry_of(definitions: &[Definition]) -> Registry {
        let mut registry = empty("eu-west-1");
        registry.revision = 7;
        for definition in definitions {
            add(&mut registry, definition, Settings::default(), State::Live);
        }
        registry
    }

    #[derive(Default)]
    struct Case<'a> {
        file: (&'a str, &'a str),
        is_registered: bool,
        filled: &'a [&'a str],
        derived: &'a [&'a str],
        targets: &'a [&'a str],
    }

    #[track_caller]
    fn check(case: &Case<'_>, expected: &Expect) {
        let registered = super::super::definition::tests::definition("", "");
        let registry = registry_of(std::slice::from_ref(&registered));
        let known = [(registered.fingerprint().clone(), Ok(registered))].into();
        let set = |names: &[&str]| names.iter().map(|it| (*it).to_owned()).collect();
        let standing = Standing {
            filled_tables: set(case.filled),
            derived_views: set(case.derived),
            filled_targets: set(case.targets),
        };
        let file = own(&views(case.file.0, case.file.1));
        let read = case.is_registered.then_some(&registry);
        let found = match enrol(&file, read, &known, &standing, "eu-west-1") {
            Ok(None) => "nothing\n".to_owned(),
            Ok(Some(registry)) => {
                let views = registry.views.iter();
                views.map(|it| format!("{} {} {}\n", it.name, it.generation, it.state)).collect()
            }
            Err(refused) => refused.iter().map(|it| format!("{it}\n")).collect(),
        };
        expected.assert_eq(&found);
    }

    #[test]
    fn a_view_is_registered_over_an_empty_table_only() {
        let file = ("", "");
        check(
            &Case { file, is_registered: false, filled: &[], derived: &[], ..Case::default() },
            &expect![[r"
                by-status 1 live
            "]],
        );
        check(
            &Case {
                file,
                is_registered: false,
                filled: &["shop-orders"],
                derived: &[],
                ..Case::default()
            },
            &expect![[r"
                view `by-status` is not registered, and its table `shop-orders` holds items, which it would not count; take it out of the file, or start it over an empty table: this version of Afterimage does not fill a view from a table
            "]],
        );
        check(
            &Case {
                file,
                is_registered: false,
                filled: &["shop-orders"],
                derived: &["by-status"],
                ..Case::default()
            },
            &expect![[r"
                by-status 1 building
            "]],
        );
        check(
            &Case {
                file,
                is_registered: true,
                filled: &["shop-orders"],
                derived: &["by-status"],
                ..Case::default()
            },
            &expect![[r"
                nothing
            "]],
        );
    }

    #[test]
    fn a_changed_view_is_refused_and_so_is_a_renamed_one_over_the_same_items() {
        check(
            &Case {
                file: ("retract", "skip"),
                is_registered: true,
                filled: &[],
                derived: &[],
                ..Case::default()
            },
            &expect![[r#"
                view `by-status`, key `remove`: the registry has "retract", the file has "skip"; write the registered value in the file again; a changed definition is another view: give it another name and another target
            "#]],
        );
        check(
            &Case {
                file: (r#"name = "by-status""#, r#"name = "by-state""#),
                is_registered: true,
                filled: &[],
                derived: &[],
                ..Case::default()
            },
            &expect![[r"
                the file does not go together with what is registered: view `by-state`, key `target.pk`: view `by-status` writes the same items; give each view items of its own
            "]],
        );
    }

    #[test]
    fn what_stands_under_a_target_or_a_name_is_not_added_to() {
        let refused = expect![[r"
            view `by-status` is not registered, and `derived` already holds items that it would add to; give the view another name and another target
        "]];
        check(&Case { targets: &["by-status"], ..Case::default() }, &refused);
        check(
            &Case { derived: &["by-status"], targets: &["by-status"], ..Case::default() },
            &expect![[r"
                by-status 1 building
            "]],
        );
        let renamed =
            Case { file: ("by-status", "by-state"), is_registered: true, ..Case::default() };
        check(
            &Case { derived: &["by-state"], ..renamed },
            &expect![[r"
                view `by-state` is not registered, and `derived` already holds items that it would add to; give the view another name and another target
            "]],
        );
    }

    #[test]
    fn a_new_view_over_an_empty_table_joins_what_is_registered() {
        let file = ("by-status", "by-state");
        check(
            &Case { file, is_registered: true, filled: &[], derived: &[], ..Case::default() },
            &expect![[r"
                by-status 1 live
                by-state 1 live
            "]],
        );
    }
}
