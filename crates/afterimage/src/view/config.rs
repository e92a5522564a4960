//! `views.toml`: read strictly, checked against the tables and for overlaps.

use afterimage_schema::{AttributeType, Table, TableDefinition};
use serde::Deserialize;

use super::View;
use super::selection::Selection;
use crate::count::{CountView, Removal, SortTemplate, Target};
use crate::latest::{LatestView, Rows};
use crate::limits::{GROUP_ROWS_DEFAULT, GROUP_ROWS_MAX, VIEW_NAME_BYTES_MAX};
use crate::record::{Catalog, CatalogError};

/// Partition keys in `derived` that begin so belong to the engine.
pub(crate) const RESERVED_PREFIXES: [&str; 3] = ["ledger#", "head#", "parked#"];

/// Why views were refused.
#[derive(Debug, thiserror::Error)]
pub enum ViewsError {
    /// The file is no TOML, or has other things than views.
    #[error("views.toml cannot be read: it takes `[[view]]` tables only")]
    Syntax(#[source] toml::de::Error),
    /// A view has a key that is unknown, missing, or of another type.
    #[error("view `{view}` cannot be read")]
    View {
        /// The view's name, or its place in the file.
        view: String,
        /// Which key it is, and what was expected.
        #[source]
        source: toml::de::Error,
    },
    /// A view's key has a value that cannot be.
    #[error(transparent)]
    Key(#[from] ViewError),
    /// A table cannot be used.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// A key of a view has a value that cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("view `{view}`, key `{key}`: {problem}; {fix}")]
pub struct ViewError {
    /// The view's name.
    pub view: String,
    /// The key.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawFile {
    #[serde(default)]
    view: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum RawView {
    Count(RawCount),
    Latest(RawLatest),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCount {
    name: String,
    source: String,
    #[serde(default, rename = "where")]
    selection: Selection,
    group_by: String,
    remove: String,
    target: RawTarget,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTarget {
    table: String,
    pk: String,
    sk: String,
    count: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawLatest {
    name: String,
    source: String,
    #[serde(default, rename = "where")]
    selection: Selection,
    group_by: RawGroup,
    order_by: String,
    copy: Vec<String>,
    rows: RawRows,
    remove: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGroup {
    attribute: String,
    #[serde(default)]
    strip_prefix: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRows {
    #[serde(rename = "where")]
    selection: Selection,
    group: String,
    index: String,
    #[serde(default)]
    may_gain: Vec<String>,
    #[serde(default = "default_rows_max")]
    max: usize,
}

fn default_rows_max() -> usize {
    GROUP_ROWS_DEFAULT
}

/// Makes errors that name one view.
struct Check<'a> {
    view: &'a str,
}

impl Check<'_> {
    fn that(&self, holds: bool, key: &str, problem: &str, fix: &str) -> Result<(), ViewError> {
        if holds { Ok(()) } else { Err(self.error(key, problem, fix)) }
    }

    fn error(&self, key: &str, problem: &str, fix: &str) -> ViewError {
        ViewError {
            view: self.view.to_owned(),
            key: key.to_owned(),
            problem: problem.to_owned(),
            fix: fix.to_owned(),
        }
    }
}

pub(super) fn parse(text: &str, catalog: &Catalog) -> Result<Vec<View>, ViewsError> {
    let file: RawFile = toml::from_str(text).map_err(ViewsError::Syntax)?;
    let mut views: Vec<View> = Vec::new();
    for (index, table) in file.view.into_iter().enumerate() {
        let view = match table.get("name") {
            Some(toml::Value::String(name)) => name.clone(),
            _ => format!("number {}", index + 1),
        };
        let raw = table.try_into().map_err(|source| ViewsError::View { view, source })?;
        let view = match raw {
            RawView::Count(raw) => View::Count(count_view(raw, catalog)?),
            RawView::Latest(raw) => View::Latest(latest_view(raw, catalog)?),
        };
        for earlier in &views {
            check_overlap(&view, earlier)?;
        }
        views.push(view);
    }
    for view in &views {
        check_rows_unread(view, &views)?;
    }
    Ok(views)
}

fn check_name(name: &str) -> Result<(), ViewError> {
    let is_name = name.len() <= VIEW_NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == b'-');
    Check { view: name }.that(
        is_name,
        "name",
        "it is not a name of up to 64 lower-case letters, digits and `-` that begins with a letter",
        "write a name such as `genre-counts`; it is part of keys in `derived`",
    )
}

fn source_table(check: &Check<'_>, name: &str) -> Result<Table, ViewError> {
    match name.parse() {
        Ok(Table::Albums) => Ok(Table::Albums),
        Ok(Table::Messages) => Ok(Table::Messages),
        Ok(Table::Derived) => Err(check.error(
            "source",
            "no view may read the `derived` table",
            "name the table that the application writes: `albums` or `messages`",
        )),
        Err(_) => Err(check.error(
            "source",
            &format!("there is no table `{name}`"),
            "name a source table: `albums` or `messages`",
        )),
    }
}

fn count_view(raw: RawCount, catalog: &Catalog) -> Result<CountView, ViewsError> {
    check_name(&raw.name)?;
    let check = Check { view: &raw.name };
    let source = source_table(&check, &raw.source)?;
    check.that(!raw.group_by.is_empty(), "group_by", "it is empty", "name an attribute")?;
    let removal = match raw.remove.as_str() {
        "retract" => Removal::Retract,
        "skip" => Removal::Skip,
        other => {
            let problem = format!("`{other}` is no way to treat a removal");
            return Err(check.error("remove", &problem, "write `retract` or `skip`").into());
        }
    };
    let target = target(&check, &raw.group_by, raw.target)?;
    let definition = catalog.definition(source)?.clone();
    Ok(CountView {
        name: raw.name,
        source,
        selection: raw.selection,
        group_by: raw.group_by,
        removal,
        target,
        definition,
    })
}

fn target(check: &Check<'_>, group_by: &str, raw: RawTarget) -> Result<Target, ViewError> {
    check.that(
        raw.table == Table::Derived.logical_name(),
        "target.table",
        "derived items live in the `derived` table, so that source tables and their streams stay clean",
        "write `derived`",
    )?;
    check.that(
        !raw.pk.is_empty() && !RESERVED_PREFIXES.iter().any(|it| raw.pk.starts_with(it)),
        "target.pk",
        "it is empty, or begins with `ledger#`, `head#` or `parked#`, which the engine uses",
        "write a partition key of the view's own, such as `albums-by-genre`",
    )?;
    let placeholder = format!("{{{group_by}}}");
    let (before, after) = match raw.sk.split_once(&placeholder) {
        Some((before, after)) if !before.contains('{') && !after.contains('{') => (before, after),
        _ => {
            let problem = format!("it does not hold `{placeholder}`, once and alone");
            let fix = format!("write `{placeholder}`, with text before or after it if you like");
            return Err(check.error("target.sk", &problem, &fix));
        }
    };
    check.that(
        !raw.count.is_empty() && raw.count != "pk" && raw.count != "sk",
        "target.count",
        "it is empty, or a key attribute of `derived`",
        "name the attribute that holds the count, such as `count`",
    )?;
    Ok(Target {
        partition: raw.pk,
        sort: SortTemplate { before: before.to_owned(), after: after.to_owned() },
        count_attribute: raw.count,
    })
}

fn latest_view(raw: RawLatest, catalog: &Catalog) -> Result<LatestView, ViewsError> {
    check_name(&raw.name)?;
    let check = Check { view: &raw.name };
    let source = source_table(&check, &raw.source)?;
    let definition = catalog.definition(source)?;
    let sort_attribute = check_source_keys(&check, &raw, definition)?;
    let partition_attribute = definition.partition_key.clone();
    check.that(
        raw.remove == "skip",
        "remove",
        "a `latest` view cannot take a removal back: the one before the newest is not kept",
        "write `skip`",
    )?;
    check_copy(&check, &raw, definition)?;
    check_rows(&check, &raw, definition)?;
    Ok(LatestView {
        name: raw.name,
        source,
        selection: raw.selection,
        partition_attribute,
        strip_prefix: raw.group_by.strip_prefix,
        sort_attribute,
        copy: raw.copy,
        rows: Rows {
            selection: raw.rows.selection,
            group_attribute: raw.rows.group,
            index: raw.rows.index,
            may_gain: raw.rows.may_gain,
            max: raw.rows.max,
        },
        definition: definition.clone(),
    })
}

/// Group = partition key, order = sort key, both strings; `where` on keys alone. Returns the sort key.
fn check_source_keys(
    check: &Check<'_>,
    raw: &RawLatest,
    definition: &TableDefinition,
) -> Result<String, ViewError> {
    let partition = &definition.partition_key;
    let group = &raw.group_by;
    check.that(
        group.attribute == *partition,
        "group_by.attribute",
        "a `latest` view groups by the source table's partition key, where a consistent read can find the newest",
        &format!("write `{partition}`"),
    )?;
    check.that(
        raw.selection.prefix_of(partition).starts_with(&group.strip_prefix),
        "group_by.strip_prefix",
        "the view selects items whose key does not begin so",
        &format!("make `where.{partition}.prefix` begin with `{}`", group.strip_prefix),
    )?;
    let sort = definition.sort_key.as_deref().filter(|sort| {
        [partition.as_str(), sort]
            .into_iter()
            .all(|name| definition.attribute_type(name) == Some(AttributeType::String))
    });
    let sort = sort.ok_or_else(|| {
        check.error(
            "source",
            "a `latest` view needs a table with a partition key and a sort key that are strings",
            "name another table",
        )
    })?;
    check.that(
        raw.order_by == sort,
        "order_by",
        "a `latest` view orders by the source table's sort key",
        &format!("write `{sort}`"),
    )?;
    check.that(
        raw.selection.attributes().all(|name| name == partition || name == sort),
        "where",
        "a `latest` view selects by keys alone, so that a changed item stays selected",
        &format!("test only `{partition}` and `{sort}`"),
    )?;
    Ok(sort.to_owned())
}

fn check_copy(
    check: &Check<'_>,
    raw: &RawLatest,
    definition: &TableDefinition,
) -> Result<(), ViewError> {
    let is_key = |name: &String| {
        *name == definition.partition_key || Some(name) == definition.sort_key.as_ref()
    };
    check.that(
        !raw.copy.iter().any(|name| name.is_empty() || is_key(name) || *name == raw.rows.group),
        "copy",
        "it names a key, the rows' group attribute, or nothing",
        "name attributes of the source item that rows shall carry, such as `message`",
    )?;
    check.that(
        !raw.rows.may_gain.iter().any(|name| {
            name.is_empty() || is_key(name) || *name == raw.rows.group || raw.copy.contains(name)
        }),
        "rows.may_gain",
        "it names a key, the rows' group attribute, a copied attribute, or nothing",
        "name attributes that the application may add to a row while it moves",
    )
}

fn check_rows(
    check: &Check<'_>,
    raw: &RawLatest,
    definition: &TableDefinition,
) -> Result<(), ViewError> {
    let rows = &raw.rows;
    let partition = &definition.partition_key;
    check.that(
        rows.selection.attributes().all(|name| name == partition)
            && !rows.selection.prefix_of(partition).is_empty(),
        "rows.where",
        "rows are told by their partition key alone",
        &format!("write `{{ {partition} = {{ prefix = \"…\" }} }}`"),
    )?;
    check.that(
        raw.selection.excludes(&rows.selection),
        "rows.where",
        "an item could be a source item and a row at once",
        &format!("give `where.{partition}` and `rows.where.{partition}` prefixes that differ"),
    )?;
    let index = definition.indexes.iter().find(|index| index.name == rows.index);
    check.that(
        index.is_some_and(|index| index.partition_key == rows.group),
        "rows.index",
        &format!("the table has no index of this name with `{}` as its partition key", rows.group),
        "name the index that finds the rows of a group",
    )?;
    check.that(
        (1..=GROUP_ROWS_MAX).contains(&rows.max),
        "rows.max",
        &format!("it is not from 1 to {GROUP_ROWS_MAX}"),
        &format!("leave it out for {GROUP_ROWS_DEFAULT}"),
    )
}

fn check_overlap(view: &View, earlier: &View) -> Result<(), ViewError> {
    let check = Check { view: view.name() };
    check.that(
        view.name() != earlier.name(),
        "name",
        "another view has this name",
        "give each view a name of its own",
    )?;
    let overlaps = match (view, earlier) {
        (View::Count(one), View::Count(two)) => one.target.partition == two.target.partition,
        (View::Latest(one), View::Latest(two)) => {
            one.source == two.source && !one.rows.selection.excludes(&two.rows.selection)
        }
        (View::Count(_), View::Latest(_)) | (View::Latest(_), View::Count(_)) => false,
    };
    let key = if matches!(view, View::Count(_)) { "target.pk" } else { "rows.where" };
    check.that(
        !overlaps,
        key,
        &format!("view `{}` writes the same items", earlier.name()),
        "give each view items of its own",
    )
}

/// No view reads the rows that a view writes.
fn check_rows_unread(view: &View, all: &[View]) -> Result<(), ViewError> {
    let selection = match view {
        View::Count(view) => &view.selection,
        View::Latest(view) => &view.selection,
    };
    for writer in all {
        let View::Latest(latest) = writer else {
            continue;
        };
        Check { view: view.name() }.that(
            latest.source != view.source() || selection.excludes(&latest.rows.selection),
            "where",
            &format!("it selects rows that view `{}` writes", latest.name),
            &format!("select by a prefix of `{}` that no row has", latest.partition_attribute),
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use afterimage_schema::TableNames;

    use super::*;

    const COUNT: &str = r#"
[[view]]
name = "genre-counts"
kind = "count"
source = "albums"
group_by = "Genre"
remove = "retract"
target = { table = "derived", pk = "albums-by-genre", sk = "{Genre}", count = "count" }
"#;

    const LATEST: &str = r#"
[[view]]
name = "message-groups"
kind = "latest"
source = "messages"
where = { pk = { prefix = "MSG#" } }
group_by = { attribute = "pk", strip_prefix = "MSG#" }
order_by = "sk"
copy = ["message"]
rows = { where = { pk = { prefix = "GRP#" } }, group = "message_group_uuid", index = "message-group-sk-index", may_gain = ["pinned"] }
remove = "skip"
"#;

    fn parse_text(text: &str) -> Result<Vec<View>, ViewsError> {
        parse(text, &Catalog::new(TableNames::default()).expect("compiled-in definitions"))
    }

    /// The text with one part replaced must be refused, in words that begin so.
    #[track_caller]
    fn check_refused(text: &str, part: &str, replacement: &str, expected: &str) {
        assert!(text.contains(part), "`{part}` is not in the text");
        let error = parse_text(&text.replacen(part, replacement, 1)).expect_err("must be refused");
        let chain = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        assert!(chain.starts_with(expected), "{chain}");
    }

    #[test]
    fn the_shipped_views_hold_together() {
        let views = parse_text(include_str!("../../../../views.toml")).expect("shipped views");
        let names: Vec<_> = views.iter().map(View::name).collect();
        assert_eq!(names, ["genre-counts", "message-groups"]);
        assert_eq!(parse_text("").expect("no views").len(), 0);
    }

    #[test]
    fn mistakes_of_every_kind_name_view_key_and_fix() {
        check_refused(COUNT, "[[view]]", "[[views]]", "views.toml cannot be read");
        check_refused(
            COUNT,
            "group_by",
            "grup_by",
            "view `genre-counts` cannot be read: unknown field `grup_by`",
        );
        check_refused(
            COUNT,
            "remove = \"retract\"",
            "",
            "view `genre-counts` cannot be read: missing field `remove`",
        );
        check_refused(
            COUNT,
            "\"count\"\nsource",
            "\"sum\"\nsource",
            "view `genre-counts` cannot be read: unknown variant `sum`",
        );
        check_refused(COUNT, "genre-counts", "Genre Counts", "view `Genre Counts`, key `name`: ");
        check_refused(
            COUNT,
            "\"albums\"",
            "\"songs\"",
            "view `genre-counts`, key `source`: there is no table `songs`; ",
        );
        check_refused(
            COUNT,
            "\"albums\"",
            "\"derived\"",
            "view `genre-counts`, key `source`: no view may read",
        );
        check_refused(
            COUNT,
            "retract",
            "forget",
            "view `genre-counts`, key `remove`: `forget` is no way",
        );
    }

    #[test]
    fn a_target_is_the_views_own() {
        check_refused(
            COUNT,
            "\"derived\"",
            "\"albums\"",
            "view `genre-counts`, key `target.table`: ",
        );
        check_refused(COUNT, "albums-by-genre", "head#x", "view `genre-counts`, key `target.pk`: ");
        check_refused(
            COUNT,
            "{Genre}",
            "{Artist}",
            "view `genre-counts`, key `target.sk`: it does not hold `{Genre}`",
        );
        check_refused(COUNT, "{Genre}", "{Genre}{Genre}", "view `genre-counts`, key `target.sk`: ");
        check_refused(
            COUNT,
            "count = \"count\"",
            "count = \"sk\"",
            "view `genre-counts`, key `target.count`: ",
        );
        let twice = [COUNT, &COUNT.replace("genre-counts", "other-counts")].concat();
        check_refused(
            &twice,
            "",
            "",
            "view `other-counts`, key `target.pk`: view `genre-counts` writes the same items",
        );
        let twice = [COUNT, &COUNT.replace("albums-by-genre", "else")].concat();
        check_refused(
            &twice,
            "",
            "",
            "view `genre-counts`, key `name`: another view has this name",
        );
    }

    #[test]
    fn a_latest_view_follows_the_keys_of_its_source() {
        for (part, replacement, key) in [
            ("attribute = \"pk\"", "attribute = \"sk\"", "group_by.attribute"),
            ("strip_prefix = \"MSG#\"", "strip_prefix = \"MSG#x\"", "group_by.strip_prefix"),
            ("order_by = \"sk\"", "order_by = \"pk\"", "order_by"),
            ("where = { pk", "where = { user = { equals = \"x\" }, pk", "where"),
            ("remove = \"skip\"", "remove = \"retract\"", "remove"),
            ("copy = [\"message\"]", "copy = [\"sk\"]", "copy"),
            ("may_gain = [\"pinned\"]", "may_gain = [\"message\"]", "rows.may_gain"),
            ("prefix = \"GRP#\"", "prefix = \"MSG#GRP\"", "rows.where"),
            ("prefix = \"GRP#\"", "prefix = \"\"", "rows.where"),
            ("message-group-sk-index", "other-index", "rows.index"),
            ("may_gain", "max = 0, may_gain", "rows.max"),
        ] {
            check_refused(
                LATEST,
                part,
                replacement,
                &format!("view `message-groups`, key `{key}`: "),
            );
        }
    }

    #[test]
    fn no_view_writes_or_reads_anothers_rows() {
        let other = LATEST.replace("message-groups", "others");
        check_refused(
            &[LATEST, &other].concat(),
            "",
            "",
            "view `others`, key `rows.where`: view `message-groups` writes the same items",
        );
        let reader = COUNT.replace("\"albums\"", "\"messages\"");
        check_refused(
            &[&reader, LATEST].concat(),
            "",
            "",
            "view `genre-counts`, key `where`: it selects rows that view `message-groups` writes",
        );
    }
}
