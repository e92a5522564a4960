//! What a function wrote, held to what is promised of it.

use serde_json::{Value, json};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::lambda::{Ended, repository};

/// The namespace of every metric.
const NAMESPACE: &str = "Afterimage";

/// What Lambda takes for a level; it filters and shows lines by it.
const LEVELS: [&str; 5] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR"];

impl Ended {
    /// Its lines on standard output. Each is JSON, has a time and a level, and holds no field and no
    /// message that `docs/operating.md` does not list; metrics follow CloudWatch's embedded format. Left
    /// out is that the warm-up failed or took too long, as it may where the machine is busy.
    ///
    /// # Panics
    /// Where a line is otherwise.
    #[must_use]
    #[track_caller]
    pub fn log(&self) -> Vec<Value> {
        let mut lines = self.log_with_warm_up();
        lines.retain(|line| {
            let message = line["fields"]["message"].as_str();
            !message.is_some_and(|it| it.starts_with("warm-up "))
        });
        lines
    }

    /// The same, with what it says of its warm-up.
    ///
    /// # Panics
    /// Where a line is otherwise.
    #[must_use]
    #[track_caller]
    pub fn log_with_warm_up(&self) -> Vec<Value> {
        let document = std::fs::read_to_string(repository().join("docs/operating.md"));
        let document = document.expect("a document");
        let parse = |line: &String| {
            let line = serde_json::from_str(line);
            line.unwrap_or_else(|error| panic!("{error}: {:?}", self.stdout))
        };
        let lines: Vec<Value> = self.stdout.iter().map(parse).collect();
        for line in &lines {
            check_time_and_level(line);
            check_names(&document, line);
            if line.get("_aws").is_some() {
                check_metrics(line);
            }
        }
        lines
    }

    /// Checks that it could not start, and why: so it told Lambda and, in one line, its log, and it ended.
    ///
    /// # Panics
    /// Where it was otherwise.
    #[track_caller]
    pub fn assert_cannot_start(&self, reason: &str) {
        let error = self.init_error.as_ref();
        assert_eq!(
            error.map(|it| (it.message.as_str(), it.error_type.as_str())),
            Some((reason, "Runtime.InitError"))
        );
        assert_eq!(self.status.code(), Some(1), "{:?}", self.stderr);
        let told: Vec<_> =
            self.log().into_iter().map(|it| (it["level"].clone(), it["fields"].clone())).collect();
        let expected = json!({"message": "function cannot start", "error": reason});
        assert_eq!(told, [(json!("ERROR"), expected)]);
    }

    /// Checks that nothing it wrote holds this.
    ///
    /// # Panics
    /// Where something does.
    #[track_caller]
    pub fn assert_hides(&self, content: &str) {
        let holding = self.stdout.iter().chain(&self.stderr).find(|line| line.contains(content));
        assert_eq!(holding, None, "`{content}` is in a line");
    }
}

/// Lambda reads both, and takes a line without a valid time for `INFO`.
#[track_caller]
fn check_time_and_level(line: &Value) {
    let time = line["timestamp"].as_str().and_then(|it| OffsetDateTime::parse(it, &Rfc3339).ok());
    assert_eq!(time.map(OffsetDateTime::offset), Some(UtcOffset::UTC), "the time of {line}");
    let level = line["level"].as_str();
    assert!(level.is_some_and(|it| LEVELS.contains(&it)), "the level of {line}");
}

#[track_caller]
fn check_names(document: &str, line: &Value) {
    let names = |value: &Value| -> Vec<String> {
        value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect()
    };
    for name in [line, &line["fields"], &line["span"]].into_iter().flat_map(names) {
        let is_listed = document.contains(&format!("`{name}`"));
        assert!(is_listed, "docs/operating.md does not list `{name}` of {line}");
    }
    let message = line["message"].as_str().or_else(|| line["fields"]["message"].as_str());
    let message = message.unwrap_or_else(|| panic!("no message: {line}"));
    let is_listed = document.contains(&format!("`{message}`"));
    assert!(is_listed, "docs/operating.md does not list `{message}`");
}

/// The rules of the embedded format: whoever reads a line finds all that its metrics need at its root.
#[track_caller]
fn check_metrics(line: &Value) {
    assert!(line["_aws"]["Timestamp"].as_i64().is_some_and(|it| it > 1_700_000_000_000), "{line}");
    let directives = line["_aws"]["CloudWatchMetrics"].as_array().expect("directives");
    assert!(!directives.is_empty(), "{line}");
    for directive in directives {
        assert_eq!(directive["Namespace"], NAMESPACE, "{line}");
        let sets = directive["Dimensions"].as_array().expect("dimension sets");
        assert!(!sets.is_empty(), "{line}");
        for name in sets.iter().flat_map(|set| set.as_array().expect("a dimension set")) {
            let value = line[name.as_str().expect("a name")].as_str().expect("a text");
            assert!((1..=1024).contains(&value.len()) && value.is_ascii(), "{line}");
        }
        let metrics = directive["Metrics"].as_array().expect("metrics");
        assert!((1..=100).contains(&metrics.len()), "{line}");
        for metric in metrics {
            let name = metric["Name"].as_str().expect("a name");
            assert!(line[name].is_number(), "{name} in {line}");
            let unit = metric["Unit"].as_str().expect("a unit");
            assert!(["Count", "Milliseconds", "Seconds"].contains(&unit), "{line}");
        }
    }
    assert!(line.to_string().len() < 256 * 1024, "as long as a log event may be");
}
