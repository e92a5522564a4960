//! The views of a deployment: their kinds, the file that defines them, and what each must get.

mod check;
mod document;
mod file;
mod raw;
mod requirements;
mod view;

use std::collections::BTreeSet;

use afterimage_schema::{Table, TableDefinition, TableNames};

pub use check::ViewError;
pub use document::{DocumentError, RowSettings, Settings};
pub use file::ViewsError;
pub use requirements::{Slice, Statement, TableRequirement};
pub use view::View;

use crate::catalog::{Catalog, CatalogError};

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
