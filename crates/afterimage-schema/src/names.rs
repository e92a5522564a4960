//! Logical table names, and the real names behind them.

use std::fmt;
use std::str::FromStr;

/// A table of the product, by its logical name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    /// The music album library.
    Albums,
    /// Conversations, messages and user profiles.
    Messages,
    /// Derived counts, ledger entries, heads and parked records.
    Derived,
}

impl Table {
    /// Every table, in the order in which they are created.
    pub const ALL: [Table; 3] = [Table::Albums, Table::Messages, Table::Derived];

    /// The logical name: what `views.toml` and the command line call the table.
    #[must_use]
    pub const fn logical_name(self) -> &'static str {
        match self {
            Table::Albums => "albums",
            Table::Messages => "messages",
            Table::Derived => "derived",
        }
    }

    /// The real name where the environment gives none. Longer than the logical name, because the
    /// emulator's shard ids end with it and AWS clients refuse shard ids under 28 characters.
    #[must_use]
    pub const fn default_name(self) -> &'static str {
        match self {
            Table::Albums => "afterimage-albums",
            Table::Messages => "afterimage-messages",
            Table::Derived => "afterimage-derived",
        }
    }

    /// The environment variable that holds the real name.
    #[must_use]
    pub const fn environment_variable(self) -> &'static str {
        match self {
            Table::Albums => "ALBUMS_TABLE",
            Table::Messages => "MESSAGES_TABLE",
            Table::Derived => "DERIVED_TABLE",
        }
    }
}

impl fmt::Display for Table {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.logical_name())
    }
}

impl FromStr for Table {
    type Err = TableNameError;

    /// Reads a logical name.
    ///
    /// # Errors
    /// [`TableNameError::Unknown`] for any other text.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Table::ALL
            .into_iter()
            .find(|table| table.logical_name() == text)
            .ok_or_else(|| TableNameError::Unknown { name: text.to_owned() })
    }
}

/// Why a table name was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableNameError {
    /// No table has this logical name.
    #[error("there is no table `{name}`; the tables are albums, messages and derived")]
    Unknown {
        /// The name that was given.
        name: String,
    },
    /// A real name that DynamoDB does not take: 3 to 255 characters of `a-z A-Z 0-9 _ . -`
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>).
    #[error(
        "{variable} is `{name}`, which is no table name: 3 to 255 characters of letters, digits, `_`, `.` and `-`"
    )]
    Invalid {
        /// The environment variable.
        variable: &'static str,
        /// Its value.
        name: String,
    },
    /// A Lambda function is not told which table it works on.
    #[error("{variable} is not set: give this function the name of its table `{table}`")]
    Missing {
        /// The environment variable.
        variable: &'static str,
        /// The table.
        table: Table,
    },
    /// Two logical tables share one real name.
    #[error("{first} and {second} both name the table `{name}`; give each its own")]
    Shared {
        /// The first environment variable.
        first: &'static str,
        /// The second environment variable.
        second: &'static str,
        /// The name that both hold.
        name: String,
    },
}

/// The real name of each table; the names differ and are valid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableNames {
    names: [String; 3],
}

impl TableNames {
    /// The real names, from a look-up of environment variables: [`Table::default_name`] for each
    /// variable that is not set.
    ///
    /// # Errors
    /// [`TableNameError`] for a name that DynamoDB refuses, or one given twice.
    pub fn from_lookup(
        lookup: impl Fn(&'static str) -> Option<String>,
    ) -> Result<Self, TableNameError> {
        let names = Table::ALL.map(|table| {
            lookup(table.environment_variable()).unwrap_or_else(|| table.default_name().to_owned())
        });
        for (table, name) in Table::ALL.into_iter().zip(&names) {
            if !is_table_name(name) {
                let variable = table.environment_variable();
                return Err(TableNameError::Invalid { variable, name: name.clone() });
            }
            let namesake = Table::ALL
                .into_iter()
                .zip(&names)
                .find(|(other, it)| *other < table && *it == name);
            if let Some((other, _)) = namesake {
                return Err(TableNameError::Shared {
                    first: other.environment_variable(),
                    second: table.environment_variable(),
                    name: name.clone(),
                });
            }
        }
        Ok(Self { names })
    }

    /// The real names that the process environment gives.
    ///
    /// # Errors
    /// As [`TableNames::from_lookup`].
    pub fn from_environment() -> Result<Self, TableNameError> {
        Self::from_lookup(|variable| std::env::var(variable).ok())
    }

    /// The real names that the process environment gives a Lambda function, which works on these
    /// tables: it is told each name, since a guessed one could be another deployment's.
    ///
    /// # Errors
    /// [`TableNameError::Missing`] for a variable that is not set; else as [`TableNames::from_lookup`].
    pub fn of_function(tables: &[Table]) -> Result<Self, TableNameError> {
        let variable = |table: &Table| (*table, table.environment_variable());
        match tables.iter().map(variable).find(|(_, it)| std::env::var_os(it).is_none()) {
            Some((table, variable)) => Err(TableNameError::Missing { variable, table }),
            None => Self::from_environment(),
        }
    }

    /// The real name of a table.
    #[must_use]
    pub fn name(&self, table: Table) -> &str {
        let [albums, messages, derived] = &self.names;
        match table {
            Table::Albums => albums,
            Table::Messages => messages,
            Table::Derived => derived,
        }
    }

    /// The table that has this real name, if one has.
    #[must_use]
    pub fn table_named(&self, name: &str) -> Option<Table> {
        Table::ALL.into_iter().find(|table| self.name(*table) == name)
    }
}

impl Default for TableNames {
    fn default() -> Self {
        Self { names: Table::ALL.map(|table| table.default_name().to_owned()) }
    }
}

fn is_table_name(name: &str) -> bool {
    (3..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: &str) {
        let names = TableNames::from_lookup(|wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, it)| (*it).to_owned())
        });
        let found = match names {
            Ok(names) => Table::ALL.map(|table| names.name(table).to_owned()).join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn names_come_from_the_environment_and_are_checked() {
        check(&[], "afterimage-albums afterimage-messages afterimage-derived");
        check(&[("ALBUMS_TABLE", "music")], "music afterimage-messages afterimage-derived");
        check(
            &[("ALBUMS_TABLE", "a b")],
            "ALBUMS_TABLE is `a b`, which is no table name: 3 to 255 characters of letters, digits, `_`, `.` and `-`",
        );
        check(
            &[("ALBUMS_TABLE", "one"), ("DERIVED_TABLE", "one")],
            "ALBUMS_TABLE and DERIVED_TABLE both name the table `one`; give each its own",
        );
    }

    #[test]
    fn logical_names_read_back() {
        for table in Table::ALL {
            assert_eq!(table.logical_name().parse(), Ok(table));
        }
        assert!("Albums".parse::<Table>().is_err());
    }
}
