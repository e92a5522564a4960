//! The catalogue of view kinds, and the views of a deployment.

mod document;
mod file;
mod requirements;

use std::collections::BTreeSet;
use std::sync::Arc;

use afterimage_schema::{Table, TableDefinition, TableNames};

pub use document::{DocumentError, RowSettings, Settings};
pub use file::{ViewError, ViewsError};
pub use requirements::{Slice, Statement, TableRequirement};

use crate::catalog::{Catalog, CatalogError};
use crate::count::CountView;
use crate::engine::{Opening, Routed};
use crate::latest::LatestView;

/// A view of one of the known kinds. A new kind is a folder beside `count` and `latest` with a
/// definition, an opening and a [`Task`](crate::engine::Task), and one more variant here. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum View {
    /// Items counted by group.
    Count(Arc<CountView>),
    /// Rows that follow the newest source item of their group.
    Latest(Arc<LatestView>),
}

impl View {
    /// The view's name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            View::Count(view) => &view.name,
            View::Latest(view) => &view.name,
        }
    }

    /// The table that it reads.
    #[must_use]
    pub fn source(&self) -> &Table {
        &self.definition().table
    }

    /// The definition of the table that it reads.
    #[must_use]
    pub fn definition(&self) -> &TableDefinition {
        match self {
            View::Count(view) => &view.definition,
            View::Latest(view) => &view.definition,
        }
    }

    /// Splits the records of its source table into settled outcomes and tasks.
    #[must_use]
    pub fn open(&self, records: &[Routed<'_>]) -> Opening {
        match self {
            View::Count(view) => view.open(records),
            View::Latest(view) => view.open(records),
        }
    }

    /// Opens a record again that this view parked, all of it or a `part`. What it could not do then
    /// it may do now; if a newer record has passed meanwhile, nothing is left to do.
    #[must_use]
    pub fn retry(&self, record: Routed<'_>, part: Option<&str>) -> Opening {
        match self {
            View::Count(view) => view.retry(record),
            View::Latest(view) => view.retry(record, part),
        }
    }
}

/// The views of a deployment and the tables that they may read, checked against each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Views {
    views: Vec<View>,
    tables: Vec<TableDefinition>,
}

impl Views {
    /// Reads and checks a views file.
    ///
    /// # Errors
    /// [`ViewsError`], which names the table or view, the key and the fix.
    pub fn parse(text: &str) -> Result<Self, ViewsError> {
        let (views, tables) = file::parse(text)?;
        Ok(Self { views, tables })
    }

    /// The product's own views, which are compiled in.
    ///
    /// # Errors
    /// [`ViewsError`] if the compiled-in file does not hold together.
    pub fn compiled_in() -> Result<Self, ViewsError> {
        Self::parse(include_str!("../../../../views.toml"))
    }

    /// Every view, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &View> {
        self.views.iter()
    }

    /// The view of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&View> {
        self.views.iter().find(|view| view.name() == name)
    }

    /// The views that read a table.
    pub fn reading<'a>(&'a self, table: &'a Table) -> impl Iterator<Item = &'a View> {
        self.views.iter().filter(move |view| view.source() == table)
    }

    /// The declared tables, by name; views need not read all of them.
    #[must_use]
    pub fn tables(&self) -> &[TableDefinition] {
        &self.tables
    }

    /// Every table of the deployment: the declared ones, then `derived`.
    #[must_use]
    pub fn all_tables(&self) -> Vec<TableDefinition> {
        let derived = TableDefinition::derived();
        self.tables.iter().cloned().chain(std::iter::once(derived)).collect()
    }

    /// The catalog by which the records of these tables are decoded.
    ///
    /// # Errors
    /// [`CatalogError`] if a table has no real name.
    pub fn catalog(&self, names: TableNames) -> Result<Catalog, CatalogError> {
        let read: BTreeSet<Table> = self.views.iter().map(|it| it.source().clone()).collect();
        Catalog::new(self.all_tables(), &read, names)
    }
}
