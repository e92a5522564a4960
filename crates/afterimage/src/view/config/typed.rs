//! The keys of a view as they stand in the file: all there, none beside, each of its type.

use serde::de::DeserializeOwned;

use super::{Check, RawView, ViewError};

/// Reads a view by its `kind`.
pub(super) fn raw_view(view: &str, mut table: toml::Table) -> Result<RawView, ViewError> {
    let kind = table.remove("kind");
    match kind.as_ref().and_then(toml::Value::as_str) {
        Some(kind @ "count") => read(view, kind, table).map(RawView::Count),
        Some(kind @ "latest") => read(view, kind, table).map(RawView::Latest),
        other => {
            let problem = match (other, &kind) {
                (Some(other), _) => format!("`{other}` is no kind of view"),
                (None, Some(_)) => "it is no text".to_owned(),
                (None, None) => "it is missing".to_owned(),
            };
            Err(Check { view }.error(
                "kind",
                &problem,
                "write `kind = \"count\"` or `kind = \"latest\"`",
            ))
        }
    }
}

fn read<T: DeserializeOwned>(view: &str, kind: &str, table: toml::Table) -> Result<T, ViewError> {
    table.try_into().map_err(|error: toml::de::Error| {
        // The error's text ends with the key's path, where there is one.
        let text = error.to_string();
        let place = text.rsplit_once("\nin `").and_then(|(_, path)| path.strip_suffix("`\n"));
        let (key, problem, fix) = mistake(kind, place.unwrap_or_default(), error.message());
        Check { view }.error(&key, &problem, &fix)
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
            (within(name), format!("a `{kind}` view has no such key"), fix)
        }
        (None, None) => (place.to_owned(), message.to_owned(), example(kind, place)),
    }
}

/// How a key is written, as in the shipped views.
fn example(kind: &str, key: &str) -> String {
    let first_two = key.match_indices('.').nth(1).and_then(|(end, _)| key.get(..end));
    let text = match first_two.unwrap_or(key) {
        "name" => r#"name = "genre-counts""#,
        "source" => r#"source = "albums""#,
        "group_by" if kind == "count" => r#"group_by = "Genre""#,
        "group_by" | "group_by.attribute" | "group_by.strip_prefix" => {
            r#"group_by = { attribute = "pk", strip_prefix = "MSG#" }"#
        }
        "order_by" => r#"order_by = "sk""#,
        "copy" => r#"copy = ["message"]"#,
        "remove" if kind == "count" => r#"remove = "retract""#,
        "remove" => r#"remove = "skip""#,
        "rows.max" => "rows = { …, max = 500 }",
        "rows.may_gain" => r#"rows = { …, may_gain = ["pinned"] }"#,
        "rows" | "rows.group" | "rows.index" => {
            r#"rows = { where = { pk = { prefix = "GRP#" } }, group = "message_group_uuid", index = "message-group-sk-index" }"#
        }
        "rows.where" => r#"rows = { where = { pk = { prefix = "GRP#" } }, … }"#,
        key if key.starts_with("target") => {
            r#"target = { table = "derived", pk = "albums-by-genre", sk = "{Genre}", count = "count" }"#
        }
        _ => r#"where = { pk = { prefix = "MSG#" } }"#,
    };
    format!("write it as in `{text}`")
}
