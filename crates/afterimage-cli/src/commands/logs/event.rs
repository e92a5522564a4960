//! A line of the functions' log: what it is about, and how a person reads it.

use std::fmt;

use serde_json::{Map, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::item::on_one_line;

/// The messages of lines that only carry metrics.
const METRIC_MESSAGES: [&str; 2] = ["view updated", "outcome counted"];

/// Members of a line that are not of the event itself.
const FRAME: [&str; 7] = ["_aws", "timestamp", "level", "message", "span", "spans", LOG_STREAM];

/// The member that names the log stream of a line of CloudWatch Logs.
const LOG_STREAM: &str = "log_stream";

/// A line of the log. What is no JSON object is a message.
#[derive(Debug, Clone, PartialEq)]
pub struct Event(Map<String, Value>);

impl Event {
    /// Reads a line.
    pub fn parse(line: &str) -> Self {
        match serde_json::from_str(line) {
            Ok(Value::Object(members)) => Self(members),
            Ok(_) | Err(_) => {
                Self(Map::from_iter([("message".to_owned(), line.trim_end().into())]))
            }
        }
    }

    /// When it was logged, where it tells.
    pub fn timestamp(&self) -> Option<OffsetDateTime> {
        OffsetDateTime::parse(self.0.get("timestamp")?.as_str()?, &Rfc3339).ok()
    }

    /// The same, with this time where it tells none.
    pub fn dated(mut self, at: OffsetDateTime) -> Self {
        // A year beyond four digits has no such form: the event then goes without.
        if !self.0.contains_key("timestamp")
            && let Ok(text) = at.format(&Rfc3339)
        {
            self.0.insert("timestamp".to_owned(), text.into());
        }
        self
    }

    /// The same, with the name of its log stream.
    pub fn of_stream(mut self, name: &str) -> Self {
        self.0.insert(LOG_STREAM.to_owned(), name.into());
        self
    }

    /// The event as it was logged, and what is known of it beside.
    pub fn into_json(self) -> Value {
        Value::Object(self.0)
    }

    /// A field, at the root or under `fields`.
    fn field(&self, name: &str) -> Option<&Value> {
        self.0.get(name).or_else(|| self.0.get("fields")?.get(name))
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.field(name)?.as_str()
    }

    fn of_span(&self, name: &str) -> Option<&str> {
        self.0.get("span")?.get(name)?.as_str()
    }

    /// Who logged it, as a member's name and its text; nothing where that is among the fields.
    fn origin(&self) -> Option<(&str, &str)> {
        if self.0.contains_key("FunctionName") {
            return None;
        }
        let stream = || {
            let stream = self.0.get(LOG_STREAM)?.as_str()?;
            let named = function_of_stream(stream).map(|function| ("function", function));
            Some(named.unwrap_or((LOG_STREAM, stream)))
        };
        self.of_span("function").map(|function| ("function", function)).or_else(stream)
    }
}

/// The function that writes to a log stream: Lambda names those of a group that functions share
/// `YYYY/MM/DD/FUNCTION[VERSION]ENVIRONMENT`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-loggroups.html>).
fn function_of_stream(stream: &str) -> Option<&str> {
    let (function, _) = stream.splitn(4, '/').nth(3)?.split_once('[')?;
    (!function.is_empty()).then_some(function)
}

impl fmt::Display for Event {
    /// Time, level, message, and the fields as `name=value`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = |name| self.text(name).unwrap_or("-");
        let message = on_one_line(text("message"));
        write!(formatter, "{}  {:<5}  {message}", text("timestamp"), text("level"))?;
        let nested = self.0.get("fields").and_then(Value::as_object);
        let own = self.0.iter().filter(|(name, _)| *name != "fields");
        for (name, value) in own.chain(nested.into_iter().flatten()) {
            if !FRAME.contains(&name.as_str()) {
                let value = value.as_str().map_or_else(|| value.to_string(), on_one_line);
                write!(formatter, "  {name}={value}")?;
            }
        }
        let request_id = self.of_span("requestId").map(|request_id| ("requestId", request_id));
        for (name, text) in self.origin().into_iter().chain(request_id) {
            write!(formatter, "  {name}={}", on_one_line(text))?;
        }
        Ok(())
    }
}

/// Which events are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only those of this view.
    pub view: Option<String>,
    /// Only those with this outcome, in that view where one is given.
    pub outcome: Option<String>,
}

impl Selection {
    /// Whether the event is asked for.
    pub fn takes(&self, event: &Event) -> bool {
        if event.text("message").is_some_and(|message| METRIC_MESSAGES.contains(&message)) {
            return false;
        }
        if self.view.is_none() && self.outcome.is_none() {
            return true;
        }
        let is_wanted = |view: &str, outcome: &str| {
            self.view.as_deref().is_none_or(|wanted| wanted == view)
                && self.outcome.as_deref().is_none_or(|wanted| wanted == outcome)
        };
        let counted = event.field("outcomes").and_then(Value::as_object).into_iter().flatten();
        let mut counted = counted.flat_map(|(view, outcomes)| {
            let names = outcomes.as_object().into_iter().flat_map(Map::keys);
            names.map(move |outcome| (view.as_str(), outcome.as_str()))
        });
        let outcome = match event.text("message") {
            Some("record parked") => Some("parked"),
            Some("record failed, to be delivered again") => Some("failed"),
            Some(_) | None => None,
        };
        let of_record = event.text("view").zip(outcome);
        counted.any(|(view, outcome)| is_wanted(view, outcome))
            || of_record.is_some_and(|(view, outcome)| is_wanted(view, outcome))
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    const BATCH: &str = r#"{"_aws":{},"timestamp":"2026-01-05T08:00:01Z","level":"INFO","message":"batch processed","requestId":"r1","outcomes":{"a":{"applied":3,"failed":1},"b":{"parked":1}}}"#;
    const PARKED: &str = r#"{"timestamp":"2026-01-05T08:00:01Z","level":"WARN","fields":{"message":"record parked","view":"b","reason":"two\nlines"},"span":{"requestId":"r1"},"spans":[]}"#;
    const METRICS: &str = r#"{"message":"outcome counted","View":"a","Outcome":"applied"}"#;

    #[track_caller]
    fn check(line: &str, view: &str, outcome: &str, expected: bool) {
        let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        let selection = Selection { view: given(view), outcome: given(outcome) };
        assert_eq!(selection.takes(&Event::parse(line)), expected, "{view} {outcome} {line}");
    }

    #[test]
    fn events_are_chosen_by_view_and_outcome() {
        check(BATCH, "", "", true);
        check(BATCH, "a", "", true);
        check(BATCH, "a", "failed", true);
        check(BATCH, "b", "failed", false);
        check(BATCH, "", "parked", true);
        check(BATCH, "c", "", false);
        check(PARKED, "b", "parked", true);
        check(PARKED, "b", "failed", false);
        check(PARKED, "", "", true);
        check("no JSON", "", "", true);
        check("no JSON", "a", "", false);
        check(METRICS, "", "", false);
        check(METRICS, "a", "applied", false);
    }

    #[track_caller]
    fn check_origin(line: &str, stream: &str, expected: &str) {
        let event = Event::parse(line).of_stream(stream).to_string();
        assert_eq!(event, format!("-  -      hello{expected}"), "{stream}");
    }

    #[test]
    fn who_logged_an_event_is_told_once() {
        const STREAM: &str = "2026/01/05/stack-ListGenres-1A[$LATEST]0f";
        check_origin("hello", STREAM, "  function=stack-ListGenres-1A");
        let own = "2026/01/05/[$LATEST]0f";
        check_origin("hello", own, "  log_stream=2026/01/05/[$LATEST]0f");
        check_origin("hello", "by/hand", "  log_stream=by/hand");
        let spanned = r#"{"message":"hello","span":{"requestId":"r1","function":"ListGenres"}}"#;
        check_origin(spanned, STREAM, "  function=ListGenres  requestId=r1");
        let named = r#"{"message":"hello","FunctionName":"f1"}"#;
        check_origin(named, STREAM, "  FunctionName=f1");
    }

    #[test]
    fn an_event_is_a_line_for_people() {
        let lines = [BATCH, PARKED, "panicked\tat", "7"];
        let lines = lines.map(|line| format!("{}\n", Event::parse(line)));
        expect![[r#"
            2026-01-05T08:00:01Z  INFO   batch processed  outcomes={"a":{"applied":3,"failed":1},"b":{"parked":1}}  requestId=r1
            2026-01-05T08:00:01Z  WARN   record parked  reason=two\nlines  view=b  requestId=r1
            -  -      panicked\tat
            -  -      7
        "#]]
        .assert_eq(&lines.concat());
    }
}
