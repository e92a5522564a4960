//! The world that the engine works in: its tables, and an application that changes them.

mod application;
mod change;
mod ground;

pub use application::{Application, own_attributes};
pub use change::{Album, Change, Edit, Message, Year};
pub use ground::{Ground, WorldError};

use afterimage::{Catalog, Views};
use afterimage_schema::{Table, TableNames};

/// The tables' names: the default ones.
#[must_use]
pub fn table_name(table: Table) -> &'static str {
    table.default_name()
}

/// The catalog and the views of the simulation.
///
/// # Errors
/// [`WorldError`] where the compiled-in files do not hold together.
pub fn views() -> Result<(Catalog, Views), WorldError> {
    let catalog = Catalog::new(TableNames::default())?;
    let views = Views::parse(include_str!("views.toml"), &catalog)?;
    Ok((catalog, views))
}
