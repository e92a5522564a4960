//! The tables of the shipped views.

use afterimage_schema::Table;

/// The table of the albums of the shipped views.
pub(crate) const ALBUMS: Table = Table::literal("albums");

/// The table of the messages and rows of the shipped views.
pub(crate) const MESSAGES: Table = Table::literal("messages");
