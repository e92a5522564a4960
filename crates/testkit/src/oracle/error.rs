//! Why there is no answer.

/// Why the oracle cannot tell.
#[derive(Debug, thiserror::Error)]
pub enum OracleError {
    /// The views file is invalid, or uses what the oracle does not know.
    #[error("the oracle cannot read the views file: it knows `[table.NAME]`, `count` and `latest`")]
    Views(#[source] toml::de::Error),
    /// A view reads a table that the file does not declare.
    #[error("view `{view}` reads table `{table}`, and the file has no section `[table.{table}]`")]
    UndeclaredTable {
        /// The view.
        view: String,
        /// The table that it reads.
        table: String,
    },
    /// A `latest` view reads a table whose keys it cannot use.
    #[error("view `{view}` needs a table with a sort key; `[table.{table}]` has none")]
    NoSortKey {
        /// The view.
        view: String,
        /// The table that it reads.
        table: String,
    },
    /// An item of ground or derived state is not an item in DynamoDB's JSON.
    #[error("an item of table `{table}` is invalid: {problem}")]
    Item {
        /// The table.
        table: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Two items of a table have the same key: whoever gathered them made an error.
    #[error("two items of table `{table}` have the key {key}")]
    SameKey {
        /// The table.
        table: String,
        /// The key.
        key: String,
    },
}
