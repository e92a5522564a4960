//! What happened, a line each: the same for the same seed, byte for byte.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Map, Value};
use tokio::time::Instant;

/// Characters of a value that a line shows.
const VALUE_CHARACTERS_MAX: usize = 36;

/// Actions of a transaction that a line shows.
const ACTIONS_SHOWN_MAX: usize = 12;

/// Where lines go: nowhere, until somebody wants a story.
#[derive(Debug, Clone, Default)]
pub struct Trace(Option<Arc<Mutex<Lines>>>);

#[derive(Debug)]
struct Lines {
    begin: Instant,
    lines: Vec<String>,
}

impl Trace {
    /// A trace that keeps its lines; the time in them begins now.
    #[must_use]
    pub fn recording() -> Self {
        Self(Some(Arc::new(Mutex::new(Lines { begin: Instant::now(), lines: Vec::new() }))))
    }

    /// Adds a line, where lines are kept.
    pub fn note(&self, line: impl FnOnce() -> String) {
        let Some(lines) = &self.0 else { return };
        let line = line();
        let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
        let elapsed_ms = lines.begin.elapsed().as_millis();
        lines.lines.push(format!("{elapsed_ms:>7} ms  {line}"));
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let Some(lines) = &self.0 else { return Vec::new() };
        lines.lock().unwrap_or_else(PoisonError::into_inner).lines.clone()
    }
}

/// A request in a few words: what it does to which items.
#[must_use]
pub fn request_text(operation: &str, body: &str) -> String {
    let Ok(request) = serde_json::from_str::<Value>(body) else {
        return operation.to_owned();
    };
    match operation {
        "TransactWriteItems" => transaction_text(&request),
        "BatchGetItem" => format!("get {}", batch_keys(&request)),
        "PutItem" => put_text(&request),
        "Query" => {
            let index =
                request["IndexName"].as_str().map_or_else(String::new, |it| format!(" by {it}"));
            format!("query {}{index}", values(request["ExpressionAttributeValues"].as_object()))
        }
        other => other.to_owned(),
    }
}

fn transaction_text(request: &Value) -> String {
    let actions = request["TransactItems"].as_array().map_or(&[][..], Vec::as_slice);
    let mut text = String::from("transact");
    for action in actions.iter().take(ACTIONS_SHOWN_MAX) {
        let Some((kind, action)) = action.as_object().and_then(|it| it.iter().next()) else {
            continue;
        };
        let action = match kind.as_str() {
            "Put" => put_text(action),
            "Update" => {
                let values = values(action["ExpressionAttributeValues"].as_object());
                format!("update {} {values}", key_text(&action["Key"]))
            }
            "Delete" => format!("delete {}", key_text(&action["Key"])),
            _ => format!("check {}", key_text(&action["Key"])),
        };
        // Writing to a string cannot fail.
        write!(text, "\n                {action}").ok();
    }
    if actions.len() > ACTIONS_SHOWN_MAX {
        write!(text, "\n                and {} more", actions.len() - ACTIONS_SHOWN_MAX).ok();
    }
    text
}

fn batch_keys(request: &Value) -> String {
    let tables = request["RequestItems"].as_object().into_iter().flatten();
    let keys = tables.flat_map(|(_, wanted)| wanted["Keys"].as_array().into_iter().flatten());
    let mut keys: Vec<_> = keys.map(key_text).collect();
    keys.sort();
    let left = keys.len().saturating_sub(ACTIONS_SHOWN_MAX);
    keys.truncate(ACTIONS_SHOWN_MAX);
    let more = if left > 0 { format!(" and {left} more") } else { String::new() };
    format!("{}{more}", keys.join(", "))
}

fn put_text(action: &Value) -> String {
    let is_key = |name: &String| ["pk", "sk", "Artist", "Album"].contains(&name.as_str());
    let Some(item) = action["Item"].as_object() else { return "put".to_owned() };
    let rest: Map<String, Value> = item
        .iter()
        .filter(|(name, _)| !is_key(name))
        .map(|(name, it)| (name.clone(), it.clone()))
        .collect();
    format!("put {} {}", key_text(&action["Item"]), values(Some(&rest)))
}

/// An item's key as a story has it.
#[must_use]
pub fn key_text(item: &Value) -> String {
    let parts = ["pk", "sk", "Artist", "Album"].iter().filter_map(|name| item.get(*name));
    parts.map(value_text).collect::<Vec<_>>().join("/")
}

fn values(values: Option<&Map<String, Value>>) -> String {
    let mut pairs: Vec<_> = values
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}={}", value_text(value)))
        .collect();
    pairs.sort();
    format!("{{{}}}", pairs.join(" "))
}

fn value_text(value: &Value) -> String {
    let Some((tag, inner)) = value.as_object().and_then(|it| it.iter().next()) else {
        return value.to_string();
    };
    match (tag.as_str(), inner) {
        ("B", _) => "bytes".to_owned(),
        ("L", Value::Array(values)) => {
            format!("[{}]", values.iter().map(value_text).collect::<Vec<_>>().join(" "))
        }
        ("M", Value::Object(map)) => values(Some(map)),
        (_, Value::String(text)) => {
            let kept: String = text.chars().take(VALUE_CHARACTERS_MAX).collect();
            if kept.len() < text.len() { format!("{kept}…") } else { kept }
        }
        (_, other) => other.to_string(),
    }
}
