//! Logical table names.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// Bytes of a table's logical name. It is a part of keys in `derived`, as a view's name is.
pub const TABLE_NAME_BYTES_MAX: usize = 64;

/// A table by its logical name: `derived`, which is the engine's own, or one that a views file declares.
/// Cheap to clone. Tables order by name, and `derived` comes last.
#[derive(Clone)]
pub struct Table(Name);

#[derive(Clone)]
enum Name {
    Literal(&'static str),
    Shared(Arc<str>),
}

/// Why a text is not a logical table name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{name}` is not a table name: use up to {TABLE_NAME_BYTES_MAX} lower-case letters, digits and `-`, beginning with a letter"
)]
pub struct InvalidTable {
    /// The text.
    pub name: String,
}

impl Table {
    /// The table of derived counts, ledger entries, heads and parked records.
    pub const DERIVED: Table = Table(Name::Literal("derived"));

    /// The table of a name that stands in code: an application's own.
    ///
    /// # Panics
    /// If the text is not a logical name. In a `const`, the compiler refuses it.
    #[must_use]
    pub const fn literal(name: &'static str) -> Self {
        assert!(is_name(name), "not a logical table name");
        Self(Name::Literal(name))
    }

    /// The logical name, as views files and the command line write it.
    #[must_use]
    pub fn logical_name(&self) -> &str {
        match &self.0 {
            Name::Literal(name) => name,
            Name::Shared(name) => name,
        }
    }

    /// The real name when neither the views file nor the environment gives one. It is longer than the
    /// logical name because the emulator's shard ids end with it, and AWS clients refuse shard ids of
    /// fewer than 28 characters.
    #[must_use]
    pub fn default_name(&self) -> String {
        format!("afterimage-{}", self.logical_name())
    }

    /// The environment variable that holds the real name. Two names never share one: `-` becomes `_`,
    /// which no logical name contains.
    #[must_use]
    pub fn environment_variable(&self) -> String {
        format!("{}_TABLE", self.logical_name().to_ascii_uppercase().replace('-', "_"))
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.logical_name())
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Table").field(&self.logical_name()).finish()
    }
}

impl PartialEq for Table {
    fn eq(&self, other: &Self) -> bool {
        self.logical_name() == other.logical_name()
    }
}

impl Eq for Table {}

impl Ord for Table {
    fn cmp(&self, other: &Self) -> Ordering {
        let place = |it: &Self| it.logical_name() == Self::DERIVED.logical_name();
        let by_place = place(self).cmp(&place(other));
        by_place.then_with(|| self.logical_name().cmp(other.logical_name()))
    }
}

impl PartialOrd for Table {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Hash for Table {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.logical_name().hash(state);
    }
}

impl FromStr for Table {
    type Err = InvalidTable;

    /// Reads a logical name.
    ///
    /// # Errors
    /// [`InvalidTable`] for a text that cannot be one. Whether such a table is declared is not known here.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_name(text) {
            Ok(Self(Name::Shared(text.into())))
        } else {
            Err(InvalidTable { name: text.to_owned() })
        }
    }
}

// A loop by index, since a `const fn` has no iterators; the index is below the length.
#[expect(clippy::indexing_slicing)]
const fn is_name(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut place = 0;
    while place < bytes.len() {
        let is_first = place == 0;
        match bytes[place] {
            b'a'..=b'z' => {}
            b'0'..=b'9' | b'-' if !is_first => {}
            _ => return false,
        }
        place += 1;
    }
    !bytes.is_empty() && bytes.len() <= TABLE_NAME_BYTES_MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_reads_back_and_gives_its_variable() {
        for (name, variable) in [
            ("orders", "ORDERS_TABLE"),
            ("my-orders-2", "MY_ORDERS_2_TABLE"),
            ("derived", "DERIVED_TABLE"),
        ] {
            let table: Table = name.parse().expect("a name");
            assert_eq!(table.to_string(), name);
            assert_eq!(table.environment_variable(), variable);
            assert_eq!(table.default_name(), format!("afterimage-{name}"));
        }
        assert_eq!("derived".parse(), Ok(Table::DERIVED));
        assert_eq!("orders".parse(), Ok(Table::literal("orders")));
        assert!(Table::literal("zebras") < Table::DERIVED);
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "Orders", "my_orders", "2orders", "-", "a b", "é", &"x".repeat(65)] {
            assert_eq!(text.parse::<Table>(), Err(InvalidTable { name: text.to_owned() }));
        }
    }
}
