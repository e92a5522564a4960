//! The real names of tables.

use std::collections::BTreeMap;

use crate::{Table, TableDefinition};

/// Why a table has no usable real name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TableNameError {
    /// The table is not declared.
    #[error("there is no table `{table}`; the tables are {}", known.join(", "))]
    Unknown {
        /// The table.
        table: Table,
        /// The tables that there are.
        known: Vec<String>,
    },
    /// A real name that DynamoDB does not accept: 3 to 255 characters of `a-z A-Z 0-9 _ . -`
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>).
    #[error(
        "{origin} is `{name}`, which is not a DynamoDB table name: use 3 to 255 letters, digits, `_`, `.` and `-`"
    )]
    Invalid {
        /// The environment variable, or the key of the views file.
        origin: String,
        /// The name.
        name: String,
    },
    /// A Lambda function has no name for a table that it works on.
    #[error("{variable} is not set: set it to the real name of the table `{table}`")]
    Missing {
        /// The environment variable.
        variable: String,
        /// The table.
        table: Table,
    },
    /// Two logical tables share one real name.
    #[error("{first} and {second} both name the table `{name}`; give each its own")]
    Shared {
        /// The first environment variable, or key of the views file.
        first: String,
        /// The second one.
        second: String,
        /// The name that both hold.
        name: String,
    },
}

/// The real name of each table of a deployment. The names differ from each other and are valid.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableNames {
    names: BTreeMap<Table, String>,
}

/// What gives a table its real name.
fn origin(definition: &TableDefinition) -> String {
    match definition.name {
        Some(_) => format!("`name` of the table `{}`", definition.table),
        None => definition.table.environment_variable(),
    }
}

impl TableNames {
    /// The real names of these tables: `name` of the definition, or what `lookup` gives for the
    /// environment variable, or [`Table::default_name`].
    ///
    /// # Errors
    /// [`TableNameError`] for a name that DynamoDB refuses, or that two tables have.
    pub fn from_lookup<'a>(
        definitions: impl IntoIterator<Item = &'a TableDefinition>,
        lookup: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, TableNameError> {
        let mut names = BTreeMap::new();
        let mut origins: BTreeMap<String, String> = BTreeMap::new();
        for definition in definitions {
            let (table, origin) = (&definition.table, origin(definition));
            let given = definition.name.clone().or_else(|| lookup(&table.environment_variable()));
            let name = given.unwrap_or_else(|| table.default_name());
            if !is_table_name(&name) {
                return Err(TableNameError::Invalid { origin, name });
            }
            if let Some(first) = origins.insert(name.clone(), origin.clone()) {
                return Err(TableNameError::Shared { first, second: origin, name });
            }
            names.insert(table.clone(), name);
        }
        Ok(Self { names })
    }

    /// The real names of these tables when no environment gives any.
    ///
    /// # Errors
    /// As [`TableNames::from_lookup`].
    pub fn defaults<'a>(
        definitions: impl IntoIterator<Item = &'a TableDefinition>,
    ) -> Result<Self, TableNameError> {
        Self::from_lookup(definitions, |_| None)
    }

    /// The real names of these tables, with the variables of the process environment.
    ///
    /// # Errors
    /// As [`TableNames::from_lookup`].
    pub fn from_environment<'a>(
        definitions: impl IntoIterator<Item = &'a TableDefinition>,
    ) -> Result<Self, TableNameError> {
        Self::from_lookup(definitions, variable)
    }

    /// The real names of the tables that a Lambda function works on. None is guessed, since a guessed
    /// name could be that of another deployment.
    ///
    /// # Errors
    /// [`TableNameError::Missing`] if neither the definition nor the environment gives a name; else as
    /// [`TableNames::from_lookup`].
    pub fn of_function<'a>(
        definitions: impl IntoIterator<Item = &'a TableDefinition>,
    ) -> Result<Self, TableNameError> {
        let definitions: Vec<_> = definitions.into_iter().collect();
        let unnamed = definitions.iter().filter(|it| it.name.is_none()).map(|it| &it.table);
        match unnamed.into_iter().find(|it| std::env::var_os(it.environment_variable()).is_none()) {
            Some(table) => Err(TableNameError::Missing {
                variable: table.environment_variable(),
                table: table.clone(),
            }),
            None => Self::from_lookup(definitions, variable),
        }
    }

    /// The real name of a table.
    ///
    /// # Errors
    /// [`TableNameError::Unknown`] for a table without one.
    pub fn name(&self, table: &Table) -> Result<&str, TableNameError> {
        self.names.get(table).map(String::as_str).ok_or_else(|| TableNameError::Unknown {
            table: table.clone(),
            known: self.names.keys().map(ToString::to_string).collect(),
        })
    }

    /// The table that has this real name, if one has.
    #[must_use]
    pub fn table_named(&self, name: &str) -> Option<&Table> {
        self.iter().find(|(_, it)| *it == name).map(|(table, _)| table)
    }

    /// Every table and its real name; `derived` comes last.
    pub fn iter(&self) -> impl Iterator<Item = (&Table, &str)> {
        self.names.iter().map(|(table, name)| (table, name.as_str()))
    }
}

/// The real name of a table that a Lambda function of an application works on, from the process
/// environment. It is not guessed, since a guessed name could be that of another deployment.
///
/// # Errors
/// [`TableNameError::Missing`] if the variable is not set, [`TableNameError::Invalid`] for a name that
/// DynamoDB refuses.
pub fn table_name_of_function(table: &Table) -> Result<String, TableNameError> {
    let origin = table.environment_variable();
    match variable(&origin) {
        None => Err(TableNameError::Missing { variable: origin, table: table.clone() }),
        Some(name) if !is_table_name(&name) => Err(TableNameError::Invalid { origin, name }),
        Some(name) => Ok(name),
    }
}

/// The values of all variables of the process environment that hold a table's real name: `ORDERS_TABLE` and
/// so on, whether or not the table is declared.
#[must_use]
pub fn table_names_of_environment() -> Vec<String> {
    let texts = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    texts.filter(|(name, _)| name.ends_with("_TABLE")).map(|(_, value)| value).collect()
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn is_table_name(name: &str) -> bool {
    (3..=255).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(table: &str, name: Option<&str>) -> TableDefinition {
        let table = table.parse().expect("a table");
        TableDefinition { name: name.map(str::to_owned), table, ..TableDefinition::derived() }
    }

    #[track_caller]
    fn check(name: Option<&str>, variables: &[(&str, &str)], expected: &str) {
        let definitions =
            [definition("orders", name), definition("customers", None), TableDefinition::derived()];
        let names = TableNames::from_lookup(&definitions, |wanted| {
            variables.iter().find(|(name, _)| *name == wanted).map(|(_, it)| (*it).to_owned())
        });
        let found = match names {
            Ok(names) => names.iter().map(|(_, name)| name).collect::<Vec<_>>().join(" "),
            Err(error) => error.to_string(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn names_come_from_the_file_or_the_environment_and_are_checked() {
        check(None, &[], "afterimage-customers afterimage-orders afterimage-derived");
        check(None, &[("ORDERS_TABLE", "shop")], "afterimage-customers shop afterimage-derived");
        check(
            Some("prod-orders"),
            &[("ORDERS_TABLE", "shop")],
            "afterimage-customers prod-orders afterimage-derived",
        );
        check(
            None,
            &[("ORDERS_TABLE", "a b")],
            "ORDERS_TABLE is `a b`, which is not a DynamoDB table name: use 3 to 255 letters, digits, `_`, `.` and `-`",
        );
        check(
            Some("one"),
            &[("DERIVED_TABLE", "one")],
            "`name` of the table `orders` and DERIVED_TABLE both name the table `one`; give each its own",
        );
    }

    #[test]
    fn a_table_that_is_not_declared_has_no_name() {
        let names = TableNames::from_lookup(&[definition("orders", None)], |_| None);
        let names = names.expect("names");
        let error = names.name(&Table::DERIVED).expect_err("not declared");
        assert_eq!(error.to_string(), "there is no table `derived`; the tables are orders");
        assert_eq!(names.table_named("afterimage-orders"), Some(&"orders".parse().expect("one")));
        assert_eq!(names.table_named("orders"), None);
    }
}
