//! The keys of a table or a view as they stand in the file: none missing, none unknown, each of its type.

use serde::de::DeserializeOwned;

use crate::views::check::{Check, ViewError};
use crate::views::raw::RawView;

/// Reads a view by its `kind`.
pub(super) fn raw_view(check: &Check, mut table: toml::Table) -> Result<RawView, ViewError> {
    let kind = table.remove("kind");
    let view = toml::Value::Table(table);
    match kind.as_ref().and_then(toml::Value::as_str) {
        Some(kind @ "count") => read(check, kind, "", view).map(RawView::Count),
        Some(kind @ "latest") => read(check, kind, "", view).map(RawView::Latest),
        other => {
            let problem = match (other, &kind) {
                (Some(other), _) => format!("`{other}` is not a kind of view"),
                (None, Some(_)) => "it is not a string".to_owned(),
                (None, None) => "it is missing".to_owned(),
            };
            let fix = "write `kind = \"count\"` or `kind = \"latest\"`";
            Err(check.error("kind", &problem, fix))
        }
    }
}

/// Reads the value at `place` of a table or view; `kind` is what errors call the thing that has the keys.
pub(super) fn read<T: DeserializeOwned>(
    check: &Check,
    kind: &str,
    place: &str,
    value: toml::Value,
) -> Result<T, ViewError> {
    value.try_into().map_err(|error: toml::de::Error| {
        // The error's text ends with the key's path, if there is one.
        let text = error.to_string();
        let inner = text.rsplit_once("\nin `").and_then(|(_, path)| path.strip_suffix("`\n"));
        let place: Vec<_> = [place, inner.unwrap_or_default()]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect();
        let (key, problem, fix) = mistake(kind, &place.join("."), error.message());
        check.error(&key, &problem, &fix)
    })
}

/// The key, the problem and the fix.
fn mistake(kind: &str, place: &str, message: &str) -> (String, String, String) {
    let within = |name: &str| {
        // As TOML writes it: an error that names nothing helps nobody.
        let name = if name.is_empty() { "\"\"" } else { name };
        if place.is_empty() { name.to_owned() } else { format!("{place}.{name}") }
    };
    let missing = message.strip_prefix("missing field `").and_then(|it| it.strip_suffix('`'));
    let unknown = message.strip_prefix("unknown field `");
    match (missing, unknown.and_then(|it| it.rsplit_once("`, expected "))) {
        (Some(name), _) => {
            let key = within(name);
            let fix = example(kind, &key);
            (key, "it is missing".to_owned(), fix)
        }
        (None, Some((name, known))) => {
            let fix = format!("write {known}, or take it out");
            let holder = if kind == "table" { kind.to_owned() } else { format!("`{kind}` view") };
            (within(name), format!("a {holder} has no such key"), fix)
        }
        (None, None) => {
            let key = if place.is_empty() { kind } else { place };
            (key.to_owned(), message.to_owned(), example(kind, place))
        }
    }
}

/// How a key is written.
fn example(kind: &str, key: &str) -> String {
    let text = if kind == "table" { table_example(key) } else { view_example(kind, key) };
    format!("write it as in `{text}`")
}

fn table_example(key: &str) -> &'static str {
    match key {
        "name" => r#"name = "prod-orders""#,
        key if key.starts_with("index") => r#"index.by-status = { partition_key = "status" }"#,
        key if key.starts_with("sort_key") => r#"sort_key = { name = "number", type = "N" }"#,
        _ => r#"partition_key = "customer""#,
    }
}

fn view_example(kind: &str, key: &str) -> &'static str {
    let first_two = key.match_indices('.').nth(1).and_then(|(end, _)| key.get(..end));
    match first_two.unwrap_or(key) {
        "name" => r#"name = "order-counts""#,
        "source" => r#"source = "orders""#,
        "group_by" if kind == "count" => r#"group_by = "status""#,
        "group_by" | "group_by.attribute" | "group_by.strip_prefix" => {
            r#"group_by = { attribute = "pk", strip_prefix = "EVENT#" }"#
        }
        "order_by" => r#"order_by = "sk""#,
        "copy" => r#"copy = ["text"]"#,
        "remove" if kind == "count" => r#"remove = "retract""#,
        "remove" => r#"remove = "skip""#,
        "rows.max" => "rows = { …, max = 500 }",
        "rows.may_gain" => r#"rows = { …, may_gain = ["pinned"] }"#,
        "rows" | "rows.group" | "rows.index" => {
            r#"rows = { where = { pk = { prefix = "WATCH#" } }, group = "case", index = "by-case" }"#
        }
        "rows.where" => r#"rows = { where = { pk = { prefix = "WATCH#" } }, … }"#,
        key if key.starts_with("target") => {
            r#"target = { table = "derived", pk = "orders-by-status", sk = "{status}", count = "count" }"#
        }
        _ => r#"where = { pk = { prefix = "EVENT#" } }"#,
    }
}
