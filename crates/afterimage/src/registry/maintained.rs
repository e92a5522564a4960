//! What is maintained: the views that the registry names, by their registered definitions.

use std::collections::{BTreeMap, BTreeSet};

use afterimage_schema::{Table, TableDefinition, TableNameError, TableNames};

use super::difference::differences;
use super::usable::usable;
use super::{Definition, DefinitionError, Difference, Fingerprint, Registry, State};
use crate::catalog::{Catalog, CatalogError};
use crate::views::{DocumentError, Settings, Views};

/// The views of a program's own file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnViews {
    /// The views, and the tables that the file declares.
    pub views: Views,
    /// The real names of these tables, and of `derived`.
    pub names: TableNames,
}

impl OwnViews {
    /// The definitions, in the order of the file.
    ///
    /// # Errors
    /// [`TableNameError`] if a table has no real name.
    pub fn definitions(&self) -> Result<Vec<Definition>, TableNameError> {
        let views = self.views.iter();
        views.map(|view| Ok(Definition::of(view, self.names.name(view.source())?))).collect()
    }

    fn settings(&self, name: &str) -> Option<Settings> {
        self.views.named(name).map(crate::View::settings)
    }
}

/// A registered view that cannot be maintained. The records of its table fail until it can.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// The view.
    pub view: String,
    /// The real name of its table.
    pub table: String,
    /// Why.
    pub reason: DefinitionError,
}

/// The views that are maintained.
#[derive(Debug, Clone)]
pub struct Maintained {
    /// The registry that names them; `None` if there is none.
    pub registry: Option<Registry>,
    /// The views, by their registered definitions.
    pub views: Views,
    /// The tables that records can come from.
    pub catalog: Catalog,
    /// Registered views that cannot be maintained.
    pub unreadable: Vec<Unreadable>,
    /// Where the program's own file differs.
    pub differences: Vec<Difference>,
}

/// Why what is registered cannot be maintained at all.
#[derive(Debug, thiserror::Error)]
pub enum MaintainedError {
    /// The definitions do not go together.
    #[error("the registered definitions do not go together")]
    Views(#[from] DocumentError),
    /// The tables do not hold together.
    #[error("the tables do not hold together")]
    Catalog(#[from] CatalogError),
}

impl Maintained {
    /// The views of a program's own file, where no registry is.
    ///
    /// # Errors
    /// [`CatalogError`] if a table has no real name.
    pub fn of_file(own: &OwnViews) -> Result<Self, CatalogError> {
        Ok(Self {
            registry: None,
            views: own.views.clone(),
            catalog: own.views.catalog(own.names.clone())?,
            unreadable: Vec::new(),
            differences: Vec::new(),
        })
    }

    /// The views that a registry names. `definitions` holds what was read of each fingerprint. A view whose
    /// definition is that of the program's own file has the settings of that file, else those of the registry.
    ///
    /// # Errors
    /// [`MaintainedError`] if the definitions or tables do not go together.
    pub fn of_registry(
        registry: Registry,
        definitions: &BTreeMap<Fingerprint, Result<Definition, DefinitionError>>,
        own: Option<&OwnViews>,
        derived_name: &str,
    ) -> Result<Self, MaintainedError> {
        let own_definitions = own.map(OwnViews::definitions).transpose();
        let own_definitions = own_definitions.map_err(CatalogError::from)?.unwrap_or_default();
        let differences = match own {
            Some(_) => differences(&own_definitions, &registry, definitions),
            None => Vec::new(),
        };
        let mut unreadable = Vec::new();
        let mut documents = Vec::new();
        for registration in registry.views.iter().filter(|it| it.state != State::Dropping) {
            let settings = own.filter(|_| {
                own_definitions.iter().any(|it| *it.fingerprint() == registration.fingerprint)
            });
            let settings = settings.and_then(|own| own.settings(&registration.name));
            let settings = settings.unwrap_or_else(|| registration.settings.clone());
            match usable(registration, definitions) {
                Ok(definition) => documents.push((definition.document(), settings)),
                Err(reason) => unreadable.push(Unreadable {
                    view: registration.name.clone(),
                    table: registration.table.clone(),
                    reason,
                }),
            }
        }
        let views = Views::from_documents(documents.iter().map(|(it, settings)| (*it, settings)))?;
        let catalog = catalog(&views, own, derived_name)?
            .with_region(registry.region.clone())
            .with_unreadable(unreadable.iter().map(|it| it.table.clone()));
        Ok(Self { registry: Some(registry), views, catalog, unreadable, differences })
    }

    /// The same, with further real names of tables of the deployment that no view reads.
    #[must_use]
    pub fn with_unread(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.catalog = self.catalog.with_unread(names);
        self
    }
}

/// The tables of the registered views, and beside them those of the own file that no registered view reads.
fn catalog(
    views: &Views,
    own: Option<&OwnViews>,
    derived_name: &str,
) -> Result<Catalog, CatalogError> {
    let mut definitions = views.tables().to_vec();
    let mut unread = Vec::new();
    for (table, name) in own.iter().flat_map(|own| own.names.iter()) {
        let is_known = definitions.iter().any(|it| it.table == *table);
        let is_named = definitions.iter().any(|it| it.name.as_deref() == Some(name));
        let declared = own.and_then(|own| own.views.tables().iter().find(|it| it.table == *table));
        match declared {
            Some(declared) if !is_known && !is_named => definitions
                .push(TableDefinition { name: Some(name.to_owned()), ..declared.clone() }),
            Some(_) if !is_named => unread.push(name.to_owned()),
            Some(_) | None => {}
        }
    }
    let derived =
        TableDefinition { name: Some(derived_name.to_owned()), ..TableDefinition::derived() };
    definitions.push(derived);
    let names = TableNames::defaults(&definitions)?;
    let read: BTreeSet<Table> = views.iter().map(|it| it.source().clone()).collect();
    Ok(Catalog::new(definitions, &read, names)?.with_unread(unread))
}

#[cfg(test)]
mod tests {
    use super::super::definition::tests::{definition, views};
    use super::super::enrolment::tests::{own, registry_of};
    use super::*;
    use crate::catalog::TableOfName;

    fn known(
        definition: &Definition,
    ) -> BTreeMap<Fingerprint, Result<Definition, DefinitionError>> {
        [(definition.fingerprint().clone(), Ok(definition.clone()))].into()
    }

    #[test]
    fn the_registered_definition_is_maintained_whatever_the_file_says() {
        let registered = definition("", "");
        let registry = registry_of(std::slice::from_ref(&registered));
        for own_views in [None, Some(own(&views("retract", "skip"))), Some(own(&views("", "")))] {
            let own_views = own_views.as_ref();
            let maintained = Maintained::of_registry(
                registry.clone(),
                &known(&registered),
                own_views,
                "derived",
            );
            let maintained = maintained.expect("maintained");
            let view = maintained.views.named("by-status").expect("the view");
            assert_eq!(Definition::of(view, "shop-orders"), registered);
            assert!(matches!(maintained.catalog.of_name("shop-orders"), TableOfName::Read(_)));
            assert_eq!(maintained.catalog.name(&Table::DERIVED), Ok("derived"));
        }
    }

    #[test]
    fn a_view_of_the_file_alone_is_left_out_and_its_table_is_known() {
        let registered = definition("", "");
        let registry = registry_of(std::slice::from_ref(&registered));
        let file = own(&views("orders", "returns"));
        let maintained =
            Maintained::of_registry(registry, &known(&registered), Some(&file), "derived");
        let maintained = maintained.expect("maintained");
        assert_eq!(maintained.views.iter().count(), 1);
        assert_eq!(maintained.catalog.of_name("shop-returns"), TableOfName::Unread);
    }

    #[test]
    fn a_view_that_cannot_be_read_fails_the_records_of_its_table() {
        let registered = definition("", "");
        let registry = registry_of(std::slice::from_ref(&registered));
        let check = |registry: &Registry, known: &BTreeMap<_, _>, expected: &DefinitionError| {
            let maintained = Maintained::of_registry(registry.clone(), known, None, "derived");
            let maintained = maintained.expect("maintained");
            assert_eq!(maintained.views.iter().count(), 0);
            assert_eq!(maintained.catalog.of_name("shop-orders"), TableOfName::Unreadable);
            assert_eq!(&maintained.unreadable[0].reason, expected);
        };
        check(&registry, &BTreeMap::new(), &DefinitionError::Missing);
        let mut second = registry.clone();
        second.views[0].generation = 2;
        let unsupported = DefinitionError::Unsupported("of generation 2".to_owned());
        check(&second, &known(&registered), &unsupported);
        let mut pending = registry;
        pending.views[0].since = Some("pending".to_owned());
        let unsupported = DefinitionError::Unsupported("being backfilled".to_owned());
        check(&pending, &known(&registered), &unsupported);
    }
}
