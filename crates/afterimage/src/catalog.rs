//! The tables that records can come from.

use std::collections::{BTreeMap, BTreeSet};

use afterimage_schema::{Table, TableDefinition, TableNameError, TableNames};

/// The tables of a deployment: real names, definitions, and which of them a view reads.
#[derive(Debug, Clone)]
pub struct Catalog {
    names: TableNames,
    definitions: BTreeMap<Table, TableDefinition>,
    sources: BTreeMap<String, Source>,
    region: Option<String>,
}

/// What is known of a table by its real name.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Read(Table),
    Unread,
    Unreadable,
}

/// What a real name is to a deployment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableOfName<'a> {
    /// A table that at least one view reads.
    Read(&'a TableDefinition),
    /// A table of the deployment that no view reads.
    Unread,
    /// A table of a registered view whose definition cannot be used.
    Unreadable,
    /// Not a table of the deployment.
    Unknown,
}

/// Why there is no catalog, or no such table in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CatalogError {
    /// A table has no real name.
    #[error(transparent)]
    Name(#[from] TableNameError),
    /// The table is not one of the deployment's.
    #[error("there is no definition of the table `{table}`")]
    Missing {
        /// The table.
        table: Table,
    },
}

impl Catalog {
    /// A catalog of these tables, of which views read `read`.
    ///
    /// # Errors
    /// [`CatalogError::Name`] if a table has no real name.
    pub fn new(
        definitions: impl IntoIterator<Item = TableDefinition>,
        read: &BTreeSet<Table>,
        names: TableNames,
    ) -> Result<Self, CatalogError> {
        let definitions: BTreeMap<_, _> =
            definitions.into_iter().map(|it| (it.table.clone(), it)).collect();
        let mut sources = BTreeMap::new();
        for table in definitions.keys().filter(|table| **table != Table::DERIVED) {
            let is_read = read.contains(table);
            let source = if is_read { Source::Read(table.clone()) } else { Source::Unread };
            sources.insert(names.name(table)?.to_owned(), source);
        }
        Ok(Self { names, definitions, sources, region: None })
    }

    /// The same, for the streams of one Region alone.
    #[must_use]
    pub fn with_region(self, region: String) -> Self {
        Self { region: Some(region), ..self }
    }

    /// The Region whose streams are read; `None` if any is.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// The same, with real names of tables whose records cannot be taken now.
    #[must_use]
    pub fn with_unreadable(mut self, names: impl IntoIterator<Item = String>) -> Self {
        self.sources.extend(names.into_iter().map(|name| (name, Source::Unreadable)));
        self
    }

    /// The same, with further real names of tables of the deployment that no view reads.
    #[must_use]
    pub fn with_unread(mut self, names: impl IntoIterator<Item = String>) -> Self {
        for name in names {
            self.sources.entry(name).or_insert(Source::Unread);
        }
        self
    }

    /// The real names.
    #[must_use]
    pub fn names(&self) -> &TableNames {
        &self.names
    }

    /// The real name of a table.
    ///
    /// # Errors
    /// [`CatalogError::Name`] for a table that is not in the catalog.
    pub fn name(&self, table: &Table) -> Result<&str, CatalogError> {
        Ok(self.names.name(table)?)
    }

    /// The definition of a table.
    ///
    /// # Errors
    /// [`CatalogError::Missing`] for a table that is not in the catalog.
    pub fn definition(&self, table: &Table) -> Result<&TableDefinition, CatalogError> {
        let definition = self.definitions.get(table);
        definition.ok_or_else(|| CatalogError::Missing { table: table.clone() })
    }

    /// What the table of this real name is to the deployment.
    #[must_use]
    pub fn of_name(&self, name: &str) -> TableOfName<'_> {
        match self.sources.get(name) {
            Some(Source::Read(table)) => {
                self.definitions.get(table).map_or(TableOfName::Unknown, TableOfName::Read)
            }
            Some(Source::Unread) => TableOfName::Unread,
            Some(Source::Unreadable) => TableOfName::Unreadable,
            None => TableOfName::Unknown,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use afterimage_schema::AttributeType;

    use super::*;

    /// A table with two strings as its key.
    pub(crate) fn orders() -> TableDefinition {
        table("orders")
    }

    fn table(name: &str) -> TableDefinition {
        let string = |name: &str| (name.to_owned(), AttributeType::String);
        TableDefinition {
            table: name.parse().expect("a table"),
            name: None,
            partition_key: "customer".to_owned(),
            sort_key: Some("number".to_owned()),
            attribute_types: vec![string("customer"), string("number")],
            indexes: Vec::new(),
        }
    }

    /// `orders`, which views read, and `returns`, which none does.
    pub(crate) fn catalog() -> Catalog {
        let definitions = [orders(), table("returns"), TableDefinition::derived()];
        let names = TableNames::from_lookup(&definitions, |_| None).expect("names");
        let read = BTreeSet::from([orders().table]);
        Catalog::new(definitions, &read, names).expect("a catalog")
    }

    #[test]
    fn a_real_name_is_read_unread_or_unknown() {
        let catalog = catalog().with_unread(["shop".to_owned(), "afterimage-orders".to_owned()]);
        assert_eq!(catalog.of_name("afterimage-orders"), TableOfName::Read(&orders()));
        assert_eq!(catalog.of_name("afterimage-returns"), TableOfName::Unread);
        assert_eq!(catalog.of_name("shop"), TableOfName::Unread);
        assert_eq!(catalog.of_name("orders"), TableOfName::Unknown);
        assert_eq!(catalog.of_name("afterimage-derived"), TableOfName::Unknown);
    }
}
