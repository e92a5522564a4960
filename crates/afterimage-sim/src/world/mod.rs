//! The world that the engine works in: its tables, and an application that changes them.

mod application;
mod change;
mod ground;

pub use application::{Application, own_attributes};
pub use change::{Album, Change, Edit, Message, Year};
pub use ground::Ground;

use afterimage::{Catalog, Views};
use afterimage_schema::{Table, TableNames};
use testkit::oracle::Oracle;

use crate::WorldError;

/// The table of the albums, as the simulation's views file declares it.
pub const ALBUMS: Table = Table::literal("albums");

/// The table of the messages and rows, as the simulation's views file declares it.
pub const MESSAGES: Table = Table::literal("messages");

/// The tables' real names: the default ones.
#[must_use]
pub fn table_name(table: &Table) -> String {
    table.default_name()
}

const VIEWS: &str = include_str!("views.toml");

/// The catalog and the views of the simulation.
///
/// # Errors
/// [`WorldError`] if the compiled-in file does not hold together.
pub fn views() -> Result<(Catalog, Views), WorldError> {
    let views = Views::parse(VIEWS)?;
    let catalog = views.catalog(TableNames::defaults(&views.all_tables())?)?;
    Ok((catalog, views))
}

/// The views of a file that differs: one of them groups by another attribute.
///
/// # Errors
/// [`WorldError`] if it does not hold together.
pub fn other_views() -> Result<Views, WorldError> {
    let text = VIEWS.replace(r#"group_by = "Year""#, r#"group_by = "Label""#);
    Ok(Views::parse(&text.replace("{Year}", "{Label}"))?)
}

/// What derived items of the simulation's views must be.
///
/// # Errors
/// [`WorldError`] where the oracle does not know a kind of view.
pub fn oracle() -> Result<Oracle, WorldError> {
    Ok(Oracle::read(VIEWS)?)
}
