//! A view and its table in the form of the views file, as JSON: what the registry keeps of a definition.
//!
//! Defaults are left out, so that a new key with a default changes no definition. `rows.max` and
//! `rows.may_gain` are settings, which stand apart: they may change while the view stays the same.

use std::collections::{BTreeMap, BTreeSet};

use afterimage_schema::{AttributeType, TableDefinition};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{View, ViewError, Views, file};
use crate::count::{CountView, Removal};
use crate::latest::LatestView;

/// What may change of a view without making it another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// Of a `latest` view: `rows.max` and `rows.may_gain`.
    pub rows: Option<RowSettings>,
}

/// What may change of the rows of a `latest` view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSettings {
    /// Rows that a group may have.
    pub max: usize,
    /// Attributes that the application may add to a row while it moves.
    pub may_gain: Vec<String>,
}

/// Why documents are not views.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A document is not in the form of a views file.
    #[error("a definition is not in the form of a views file")]
    Form,
    /// Two documents differ about a table.
    #[error(
        "two views give the table `{table}` different real names or keys; declare the second table under another name, as in `[table.{table}-2]`"
    )]
    Table {
        /// The table.
        table: String,
    },
    /// A view cannot work, or two do not go together.
    #[error(transparent)]
    View(#[from] ViewError),
}

impl View {
    /// The view and its table, whose real name is given, without the settings:
    /// `{"table": {NAME: {…}}, "view": {…}}`.
    #[must_use]
    pub fn to_document(&self, table_name: &str) -> Value {
        let (view, index) = match self {
            View::Count(view) => (count_document(view), None),
            View::Latest(view) => (latest_document(view), Some(view.rows.index.as_str())),
        };
        let table = table_document(self.definition(), table_name, index);
        json!({ "table": { self.source().logical_name(): table }, "view": view })
    }

    /// The settings.
    #[must_use]
    pub fn settings(&self) -> Settings {
        let rows = match self {
            View::Count(_) => None,
            View::Latest(view) => {
                Some(RowSettings { max: view.rows.max, may_gain: view.rows.may_gain.clone() })
            }
        };
        Settings { rows }
    }
}

impl Views {
    /// The views of these documents, with their settings, and the tables of all of them together.
    ///
    /// # Errors
    /// [`DocumentError`] if a document is not one, or if two views do not go together.
    pub fn from_documents<'a>(
        documents: impl IntoIterator<Item = (&'a Value, &'a Settings)>,
    ) -> Result<Self, DocumentError> {
        let mut tables: BTreeMap<String, Value> = BTreeMap::new();
        let mut views = Vec::new();
        for (document, settings) in documents {
            let sections = document.get("table").and_then(Value::as_object);
            let view = document.get("view").and_then(Value::as_object);
            let (sections, view) = sections.zip(view).ok_or(DocumentError::Form)?;
            for (name, section) in sections {
                join_section(name, tables.entry(name.clone()).or_insert(json!({})), section)?;
            }
            views.push(toml_of(&with_settings(view.clone(), settings))?);
        }
        let tables = tables.into_iter().map(|(name, section)| Ok((name, toml_of(&section)?)));
        let (views, tables) = file::read(tables.collect::<Result<_, DocumentError>>()?, views)?;
        Ok(Self { views, tables })
    }
}

/// Two documents about one table have the same name and keys; each names the index that its view uses.
fn join_section(table: &str, joined: &mut Value, section: &Value) -> Result<(), DocumentError> {
    let (Some(joined), Some(section)) = (joined.as_object_mut(), section.as_object()) else {
        return Err(DocumentError::Form);
    };
    let is_first = joined.is_empty();
    for (key, value) in section {
        match (joined.get_mut(key), value) {
            (Some(Value::Object(indexes)), Value::Object(further)) if key == "index" => {
                indexes.extend(further.clone());
            }
            (Some(known), value) if known == value => {}
            (None, value) if is_first || key == "index" => {
                joined.insert(key.clone(), value.clone());
            }
            _ => return Err(DocumentError::Table { table: table.to_owned() }),
        }
    }
    Ok(())
}

fn with_settings(mut view: Map<String, Value>, settings: &Settings) -> Value {
    if let (Some(settings), Some(Value::Object(rows))) = (&settings.rows, view.get_mut("rows")) {
        rows.insert("max".to_owned(), json!(settings.max));
        rows.insert("may_gain".to_owned(), json!(settings.may_gain));
    }
    Value::Object(view)
}

fn toml_of<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, DocumentError> {
    T::deserialize(value).map_err(|_| DocumentError::Form)
}

fn count_document(view: &CountView) -> Value {
    let target = &view.target;
    let sort = [&target.sort.before, "{", &view.group_by, "}", &target.sort.after].concat();
    let remove = match view.removal {
        Removal::Retract => "retract",
        Removal::Skip => "skip",
    };
    let mut document = json!({
        "name": view.name.as_str(),
        "kind": "count",
        "source": view.definition.table.logical_name(),
        "group_by": view.group_by,
        "remove": remove,
        "target": {
            "table": "derived",
            "pk": target.partition,
            "sk": sort,
            "count": target.count_attribute,
        },
    });
    if view.selection.attributes().next().is_some() {
        insert(&mut document, "where", &view.selection);
    }
    document
}

fn latest_document(view: &LatestView) -> Value {
    let mut group = json!({ "attribute": view.partition_attribute });
    if !view.strip_prefix.is_empty() {
        insert(&mut group, "strip_prefix", &view.strip_prefix);
    }
    // Neither order nor repetition of the names means anything.
    let copy: BTreeSet<_> = view.copy.iter().collect();
    let mut document = json!({
        "name": view.name.as_str(),
        "kind": "latest",
        "source": view.definition.table.logical_name(),
        "group_by": group,
        "order_by": view.sort_attribute,
        "copy": copy,
        "rows": {
            "where": view.rows.selection,
            "group": view.rows.group_attribute,
            "index": view.rows.index,
        },
        "remove": "skip",
    });
    if view.selection.attributes().next().is_some() {
        insert(&mut document, "where", &view.selection);
    }
    document
}

fn insert(document: &mut Value, key: &str, value: &impl Serialize) {
    if let Some(members) = document.as_object_mut() {
        members.insert(key.to_owned(), json!(value));
    }
}

/// The table's real name and keys, and the partition key of the index that the view uses.
fn table_document(definition: &TableDefinition, name: &str, index: Option<&str>) -> Value {
    let key = |attribute: &str| match definition.attribute_type(attribute) {
        Some(AttributeType::String) | None => json!(attribute),
        Some(other) => json!({ "name": attribute, "type": other.name() }),
    };
    let mut document = json!({ "name": name, "partition_key": key(&definition.partition_key) });
    if let Some(sort_key) = &definition.sort_key {
        insert(&mut document, "sort_key", &key(sort_key));
    }
    let used = definition.indexes.iter().find(|it| Some(it.name.as_str()) == index);
    if let Some(used) = used {
        let section = json!({ used.name.as_str(): { "partition_key": key(&used.partition_key) } });
        insert(&mut document, "index", &section);
    }
    document
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const FILE: &str = r##"
        [table.cases]
        name = "prod-cases"
        partition_key = "pk"
        sort_key = "sk"
        index.by-case = { partition_key = "case", sort_key = "sk", projection = "KEYS_ONLY" }
        index.by-clerk = { partition_key = "clerk" }
        [table.meters]
        partition_key = { name = "number", type = "N" }
        [[view]]
        name = "readings"
        kind = "count"
        source = "meters"
        group_by = "town"
        remove = "skip"
        target = { table = "derived", pk = "readings", sk = "in {town}!", count = "readings" }
        [[view]]
        name = "newest"
        kind = "latest"
        source = "cases"
        where = { pk = { prefix = "EVENT#" } }
        group_by = { attribute = "pk", strip_prefix = "EVENT#" }
        order_by = "sk"
        copy = ["text", "clerk"]
        rows = { where = { pk = { prefix = "WATCH#" } }, group = "case", index = "by-case", may_gain = ["seen"], max = 7 }
        remove = "skip"
        [[view]]
        name = "events"
        kind = "count"
        source = "cases"
        where = { pk = { prefix = "EVENT#" }, sort = { equals = "call" } }
        group_by = "sort"
        remove = "retract"
        target = { table = "derived", pk = "events", sk = "{sort}", count = "count" }
    "##;

    #[test]
    fn a_view_is_the_same_after_its_document() {
        let views = Views::parse(FILE).expect("views");
        let documents: Vec<_> = views
            .iter()
            .map(|view| (view.to_document(&format!("prod-{}", view.source())), view.settings()))
            .collect();
        let read = documents.iter().map(|(document, settings)| (document, settings));
        let read = Views::from_documents(read).expect("views");
        for (before, after) in views.iter().zip(read.iter()) {
            let name = format!("prod-{}", before.source());
            assert_eq!(after.to_document(&name), before.to_document(&name));
            assert_eq!(after.settings(), before.settings());
            assert!(after.definition().has_keys_of(before.definition()));
            assert_eq!(after.definition().name.as_deref(), Some(name.as_str()));
        }
        assert_eq!(read.iter().count(), 3);
    }

    #[test]
    fn a_document_holds_what_decides_what_the_view_writes_and_nothing_else() {
        let views = Views::parse(FILE).expect("views");
        let lines = views.iter().map(|view| format!("{}\n", view.to_document("real")));
        expect![[r#"
            {"table":{"meters":{"name":"real","partition_key":{"name":"number","type":"N"}}},"view":{"group_by":"town","kind":"count","name":"readings","remove":"skip","source":"meters","target":{"count":"readings","pk":"readings","sk":"in {town}!","table":"derived"}}}
            {"table":{"cases":{"index":{"by-case":{"partition_key":"case"}},"name":"real","partition_key":"pk","sort_key":"sk"}},"view":{"copy":["clerk","text"],"group_by":{"attribute":"pk","strip_prefix":"EVENT#"},"kind":"latest","name":"newest","order_by":"sk","remove":"skip","rows":{"group":"case","index":"by-case","where":{"pk":{"prefix":"WATCH#"}}},"source":"cases","where":{"pk":{"prefix":"EVENT#"}}}}
            {"table":{"cases":{"name":"real","partition_key":"pk","sort_key":"sk"}},"view":{"group_by":"sort","kind":"count","name":"events","remove":"retract","source":"cases","target":{"count":"count","pk":"events","sk":"{sort}","table":"derived"},"where":{"pk":{"prefix":"EVENT#"},"sort":{"equals":"call"}}}}
        "#]]
        .assert_eq(&lines.collect::<String>());
    }

    #[test]
    fn two_documents_that_differ_about_a_table_do_not_go_together() {
        let views = Views::parse(FILE).expect("views");
        let documents: Vec<_> = views.iter().skip(1).collect();
        let documents: Vec<_> = documents.iter().zip(["one", "other"]).collect();
        let documents: Vec<_> = documents
            .iter()
            .map(|(view, name)| (view.to_document(name), view.settings()))
            .collect();
        let read = documents.iter().map(|(document, settings)| (document, settings));
        let table = "cases".to_owned();
        assert_eq!(Views::from_documents(read), Err(DocumentError::Table { table }));
    }
}
