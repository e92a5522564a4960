//! Where a views file and the registry differ.

use std::collections::BTreeMap;
use std::fmt;

use super::usable::usable;
use super::{Definition, DefinitionError, Fingerprint, Registry, State};

/// One difference between a views file and the registry. Until it is gone, the registry is what counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// A key of a view has another value.
    Changed {
        /// The view.
        view: String,
        /// The key, as the views file writes it.
        key: String,
        /// The value in the registry, as JSON; `None` if the key is not there.
        registered: Option<String>,
        /// The value in the file, as JSON; `None` if the key is not there.
        file: Option<String>,
    },
    /// The registry does not know a view of the file: nothing maintains it.
    Unregistered {
        /// The view.
        view: String,
    },
    /// The file has lost a view of the registry: it is still maintained.
    Lost {
        /// The view.
        view: String,
    },
    /// A registered definition cannot be read: the records of its table fail until it can.
    Unreadable {
        /// The view.
        view: String,
        /// Why.
        reason: DefinitionError,
    },
}

impl Difference {
    /// The view.
    #[must_use]
    pub fn view(&self) -> &str {
        match self {
            Difference::Changed { view, .. }
            | Difference::Unregistered { view }
            | Difference::Lost { view }
            | Difference::Unreadable { view, .. } => view,
        }
    }

    /// Whether a command may go on: it uses the registered definitions, and a lost view is one of them.
    #[must_use]
    pub const fn is_harmless(&self) -> bool {
        matches!(self, Difference::Lost { .. })
    }

    /// What to do about it.
    #[must_use]
    pub const fn fix(&self) -> &'static str {
        match self {
            Difference::Changed { .. } => {
                "write the registered value in the file again; a changed definition is another view: give it another name and another target"
            }
            Difference::Unregistered { .. } => {
                "start `up` with this file while the view's table is empty, or take the view out of the file"
            }
            Difference::Lost { .. } => "put the view into the file again",
            Difference::Unreadable { .. } => {
                "use the version of Afterimage that registered it, or a later one"
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Changed { view, key, registered, file } => {
                let value =
                    |it: &Option<String>| it.clone().unwrap_or_else(|| "nothing".to_owned());
                let (registered, file) = (value(registered), value(file));
                write!(
                    formatter,
                    "view `{view}`, key `{key}`: the registry has {registered}, the file has {file}"
                )
            }
            Difference::Unregistered { view } => {
                write!(formatter, "view `{view}` is not registered: nothing maintains it")
            }
            Difference::Lost { view } => {
                write!(
                    formatter,
                    "view `{view}` is registered and not in the file: it is maintained"
                )
            }
            Difference::Unreadable { view, reason } => {
                write!(formatter, "view `{view}` is registered and cannot be maintained: {reason}")
            }
        }
    }
}

/// Every difference between the definitions of a file and the registered ones, by view.
#[must_use]
pub fn differences(
    file: &[Definition],
    registry: &Registry,
    registered: &BTreeMap<Fingerprint, Result<Definition, DefinitionError>>,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for own in file {
        let view = own.view_name().to_owned();
        let Some(registration) = registry.of_view(&view) else {
            differences.push(Difference::Unregistered { view });
            continue;
        };
        match usable(registration, registered) {
            Ok(definition) => differences.extend(changes(&view, definition, own)),
            Err(reason) => differences.push(Difference::Unreadable { view, reason }),
        }
    }
    let is_in_file = |name: &str| file.iter().any(|own| own.view_name() == name);
    let lost = registry.views.iter().filter(|it| !is_in_file(&it.name));
    for registration in lost.filter(|it| it.state != State::Dropping) {
        let view = registration.name.clone();
        differences.push(match usable(registration, registered) {
            Ok(_) => Difference::Lost { view },
            Err(reason) => Difference::Unreadable { view, reason },
        });
    }
    differences
}

/// By key; of views of two kinds, the kind alone.
fn changes(view: &str, registered: &Definition, file: &Definition) -> Vec<Difference> {
    let registered: BTreeMap<_, _> = registered.values().into_iter().collect();
    let file: BTreeMap<_, _> = file.values().into_iter().collect();
    let is_same_kind = registered.get("kind") == file.get("kind");
    let keys: std::collections::BTreeSet<_> = registered.keys().chain(file.keys()).collect();
    let differing = keys.into_iter().filter(|key| registered.get(*key) != file.get(*key));
    let told = differing.filter(|key| is_same_kind || *key == "kind");
    told.map(|key| Difference::Changed {
        view: view.to_owned(),
        key: key.clone(),
        registered: registered.get(key).cloned(),
        file: file.get(key).cloned(),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::super::definition::tests::definition;
    use super::super::enrolment::tests::registry_of;
    use super::*;

    #[track_caller]
    fn check(replaced: &str, by: &str, expected: &Expect) {
        let registered = definition("", "");
        let registry = registry_of(std::slice::from_ref(&registered));
        let known = [(registered.fingerprint().clone(), Ok(registered))].into();
        let found = differences(&[definition(replaced, by)], &registry, &known);
        let lines = found.iter().map(|it| format!("{it}\n"));
        expected.assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn differences_name_view_key_and_both_values() {
        check("", "", &expect![[""]]);
        check(
            r#"prefix = "p""#,
            r#"prefix = "pa""#,
            &expect![[r#"
                view `by-status`, key `where.status.prefix`: the registry has "p", the file has "pa"
            "#]],
        );
        check(
            r#"prefix = "p""#,
            r#"equals = "paid""#,
            &expect![[r#"
                view `by-status`, key `where.status.equals`: the registry has nothing, the file has "paid"
                view `by-status`, key `where.status.prefix`: the registry has "p", the file has nothing
            "#]],
        );
        check(
            r#"sort_key = "number""#,
            r#"sort_key = { name = "number", type = "N" }"#,
            &expect![[r#"
                view `by-status`, key `table.sort_key`: the registry has "number", the file has nothing
                view `by-status`, key `table.sort_key.name`: the registry has nothing, the file has "number"
                view `by-status`, key `table.sort_key.type`: the registry has nothing, the file has "N"
            "#]],
        );
        check(
            r#"name = "by-status""#,
            r#"name = "by-state""#,
            &expect![[r"
                view `by-state` is not registered: nothing maintains it
                view `by-status` is registered and not in the file: it is maintained
            "]],
        );
    }
}
