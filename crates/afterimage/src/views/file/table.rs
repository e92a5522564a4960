//! `[table.NAME]`: the tables that the views read.

use std::collections::BTreeMap;

use afterimage_schema::{AttributeType, Projection, SecondaryIndex, Table, TableDefinition};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::typed;
use crate::views::check::{Check, ViewError, is_attribute_name};

/// Indexes that a table may have
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
const INDEX_COUNT_MAX: usize = 20;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTable {
    #[serde(default)]
    name: Option<String>,
    partition_key: toml::Value,
    #[serde(default)]
    sort_key: Option<toml::Value>,
    #[serde(default)]
    index: BTreeMap<String, toml::Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawIndex {
    partition_key: toml::Value,
    #[serde(default)]
    sort_key: Option<toml::Value>,
    #[serde(default)]
    projection: Projection,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawKey {
    name: String,
    #[serde(default = "string", rename = "type")]
    key_type: String,
}

fn string() -> String {
    AttributeType::String.name().to_owned()
}

/// The definitions of the declared tables, by name.
pub(super) fn tables(
    sections: BTreeMap<String, toml::Value>,
) -> Result<BTreeMap<Table, TableDefinition>, ViewError> {
    let mut tables = BTreeMap::new();
    for (name, section) in sections {
        let table = checked_table(&name)?;
        tables
            .insert(table.clone(), Section { check: Check::of_table(&name) }.read(table, section)?);
    }
    Ok(tables)
}

/// The table that a view reads.
pub(super) fn source_table<'a>(
    check: &Check,
    name: &str,
    tables: &'a BTreeMap<Table, TableDefinition>,
) -> Result<&'a TableDefinition, ViewError> {
    let table: Option<Table> = name.parse().ok();
    if table == Some(Table::DERIVED) {
        return Err(check.error(
            "source",
            "no view may read the `derived` table",
            "name the table that the application writes",
        ));
    }
    table.and_then(|table| tables.get(&table)).ok_or_else(|| {
        let declared: Vec<_> = tables.keys().map(|table| format!("`{table}`")).collect();
        let fix = match declared.is_empty() {
            true => format!("declare it in a section `[table.{name}]` with its `partition_key`"),
            false => format!(
                "declare it in a section `[table.{name}]`, or name a declared one: {}",
                declared.join(", ")
            ),
        };
        check.error("source", &format!("there is no table `{name}` in this file"), &fix)
    })
}

fn checked_table(name: &str) -> Result<Table, ViewError> {
    let written = if name.is_empty() { "\"\"" } else { name };
    let check = Check::of_table(written);
    let table: Table = name.parse().map_err(|_| {
        check.error(
            "name",
            "it is not a name of up to 64 lower-case letters, digits and `-` that begins with a letter",
            "write a section such as `[table.orders]`; `name` in it holds the table's real name",
        )
    })?;
    check.that(
        table != Table::DERIVED,
        "name",
        "the table `derived` belongs to the engine: it holds the derived items, and no view reads it",
        "take the section out, or give the table another name",
    )?;
    Ok(table)
}

/// Reads one section.
struct Section {
    check: Check,
}

impl Section {
    fn read(&self, table: Table, section: toml::Value) -> Result<TableDefinition, ViewError> {
        let raw: RawTable = self.typed("", section)?;
        let mut types = BTreeMap::new();
        let partition_key = self.key("partition_key", raw.partition_key, &mut types)?;
        let sort_key = raw.sort_key.map(|key| self.key("sort_key", key, &mut types)).transpose()?;
        self.check.that(
            sort_key.as_ref() != Some(&partition_key),
            "sort_key",
            "it is the partition key's attribute",
            "name another attribute, or leave `sort_key` out",
        )?;
        self.check.that(
            raw.index.len() <= INDEX_COUNT_MAX,
            "index",
            &format!("there are more than {INDEX_COUNT_MAX} indexes, the most of a table"),
            "declare only the indexes that a view, or the local table, needs",
        )?;
        let mut indexes = Vec::new();
        for (name, index) in raw.index {
            indexes.push(self.index(name, index, &mut types)?);
        }
        let attribute_types = types.into_iter().collect();
        Ok(TableDefinition {
            table,
            name: raw.name,
            partition_key,
            sort_key,
            attribute_types,
            indexes,
        })
    }

    fn index(
        &self,
        name: String,
        value: toml::Value,
        types: &mut BTreeMap<String, AttributeType>,
    ) -> Result<SecondaryIndex, ViewError> {
        let place = format!("index.{name}");
        let is_name = (3..=255).contains(&name.len())
            && name.bytes().all(|it| it.is_ascii_alphanumeric() || b"_.-".contains(&it));
        self.check.that(
            is_name,
            &place,
            "it is not the name of an index: 3 to 255 letters, digits, `_`, `.` and `-`",
            "write the index's name, as in `[table.orders.index.by-status]`",
        )?;
        let raw: RawIndex = self.typed(&place, value)?;
        let partition_key =
            self.key(&format!("{place}.partition_key"), raw.partition_key, types)?;
        let sort_key = raw
            .sort_key
            .map(|key| self.key(&format!("{place}.sort_key"), key, types))
            .transpose()?;
        Ok(SecondaryIndex { name, partition_key, sort_key, projection: raw.projection })
    }

    /// The attribute of a key: a name, or a name and a type.
    fn key(
        &self,
        place: &str,
        value: toml::Value,
        types: &mut BTreeMap<String, AttributeType>,
    ) -> Result<String, ViewError> {
        let raw = match value {
            toml::Value::String(name) => RawKey { name, key_type: string() },
            value => self.typed(place, value)?,
        };
        self.check.that(
            is_attribute_name(&raw.name),
            place,
            "the attribute's name is empty, or longer than 255 bytes",
            "name the key's attribute",
        )?;
        let key_type = match raw.key_type.as_str() {
            "S" => AttributeType::String,
            "N" => AttributeType::Number,
            "B" => AttributeType::Binary,
            other => {
                let problem = format!("a key cannot be of type `{other}`");
                return Err(self.check.error(place, &problem, "write `S`, `N` or `B`"));
            }
        };
        let known = *types.entry(raw.name.clone()).or_insert(key_type);
        self.check.that(
            known == key_type,
            place,
            &format!("the attribute `{}` has another type in another key", raw.name),
            "give the attribute one type",
        )?;
        Ok(raw.name)
    }

    fn typed<T: DeserializeOwned>(&self, place: &str, value: toml::Value) -> Result<T, ViewError> {
        typed::read(&self.check, "table", place, value)
    }
}
