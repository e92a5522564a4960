//! The tables: their logical names, their definitions (`schema/*.json`, compiled in) and the real
//! names that the environment gives them.

mod definition;
mod names;

pub use definition::{AttributeType, DefinitionError, SecondaryIndex, TableDefinition, definition};
pub use names::{Table, TableNameError, TableNames};
