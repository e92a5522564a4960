//! The oracle: what derived items must be once every record is delivered.
//!
//! It folds ground state over the views file, both in the form in which they are outside of the
//! engine: TOML text, and items in DynamoDB's own JSON (`{"Genre": {"S": "Rock"}}`). It shares no code
//! with the engine or with `verify`, and reads numbers in its own way: an error in one of them shows as
//! a difference.
//!
//! ```text
//! let oracle = Oracle::read(views_toml)?;
//! let expected = oracle.expected(&ground)?;    // JSON of every derived item
//! let differences = oracle.differences(&ground, &derived)?;
//! ```

mod count;
mod error;
mod expected;
mod ground;
mod latest;
mod number;
mod selection;
mod value;
mod views;

use std::fmt;

use serde_json::Value;

pub use error::OracleError;
pub use expected::{Expected, ExpectedGroup, ExpectedRows};
pub use ground::GroundState;
use views::{TableKeys, ViewDefinition, ViewsFile};

/// The views of a file, and the fold over them.
#[derive(Debug)]
pub struct Oracle {
    file: ViewsFile,
}

/// A difference between derived state and the fold of ground state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The view.
    pub view: String,
    /// What differs.
    pub what: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.view, self.what)
    }
}

impl Oracle {
    /// Reads a views file.
    ///
    /// # Errors
    /// [`OracleError::Views`] if the text is invalid; [`OracleError::UndeclaredTable`] and
    /// [`OracleError::NoSortKey`] if a view reads a table that it cannot read.
    pub fn read(views_toml: &str) -> Result<Self, OracleError> {
        let file: ViewsFile = toml::from_str(views_toml).map_err(OracleError::Views)?;
        let oracle = Self { file };
        for view in &oracle.file.views {
            let keys = oracle.table(view)?;
            if matches!(view, ViewDefinition::Latest(_)) && keys.sort_key.is_none() {
                let (view, table) = (view.name().to_owned(), view.source().to_owned());
                return Err(OracleError::NoSortKey { view, table });
            }
        }
        Ok(oracle)
    }

    /// What every derived item must be.
    ///
    /// # Errors
    /// [`OracleError::Item`] and [`OracleError::SameKey`] if ground state is invalid.
    pub fn expected(&self, ground: &GroundState) -> Result<Expected, OracleError> {
        let mut expected = Expected::default();
        for view in &self.file.views {
            let keys = self.table(view)?;
            match view {
                ViewDefinition::Count(view) => {
                    let items = count::expected(view, keys, ground)?;
                    expected.counts.insert(view.name.clone(), items);
                }
                ViewDefinition::Latest(view) => {
                    let groups = latest::expected(view, keys, ground)?;
                    expected.latest.insert(view.name.clone(), groups);
                }
            }
        }
        Ok(expected)
    }

    /// Every difference between derived state and the fold: nothing once every record is delivered.
    /// `derived` is every item of the `derived` table; rows are looked for in the source table of their
    /// view.
    ///
    /// # Errors
    /// As [`Oracle::expected`], and if an item of `derived` is invalid.
    pub fn differences(
        &self,
        ground: &GroundState,
        derived: &[Value],
    ) -> Result<Vec<Difference>, OracleError> {
        let expected = self.expected(ground)?;
        let mut differences = Vec::new();
        for view in &self.file.views {
            let found = match view {
                ViewDefinition::Count(view) => {
                    let wanted = expected.counts.get(&view.name).map_or(&[][..], Vec::as_slice);
                    count::differences(view, wanted, derived)?
                }
                ViewDefinition::Latest(view) => {
                    let wanted = expected.latest.get(&view.name);
                    let keys = self.file.tables.get(&view.source);
                    match wanted.zip(keys) {
                        Some((wanted, keys)) => latest::differences(view, keys, wanted, ground)?,
                        None => Vec::new(),
                    }
                }
            };
            let name = view.name();
            differences
                .extend(found.into_iter().map(|what| Difference { view: name.to_owned(), what }));
        }
        Ok(differences)
    }

    fn table(&self, view: &ViewDefinition) -> Result<&TableKeys, OracleError> {
        self.file.tables.get(view.source()).ok_or_else(|| OracleError::UndeclaredTable {
            view: view.name().to_owned(),
            table: view.source().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
