//! Tables: logical names, keys and indexes, and the real names that a views file or the environment gives.

mod definition;
mod names;
mod table;

pub use definition::{AttributeType, DefinitionError, Projection, SecondaryIndex, TableDefinition};
pub use names::{TableNameError, TableNames, table_name_of_function, table_names_of_environment};
pub use table::{InvalidTable, TABLE_NAME_BYTES_MAX, Table};
