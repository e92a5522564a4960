//! The Logs Insights queries that `template.yaml` saves, and the lines that they meet beside the
//! functions' own.

use serde_json::Value;

use crate::lambda::insights::{self, Row};
use crate::lambda::template::template;

/// Lines that Lambda itself writes about invocations that a function cannot tell of, as AWS documents
/// them: no binary wrote these, and they were not compared with AWS.
///
/// `PlatformReport`, `PlatformInitReport` and `Status` of
/// <https://docs.aws.amazon.com/lambda/latest/dg/telemetry-schema-reference.html>. At the system log level
/// `WARN` reports are written unless their status is `success`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-log-level.html>).
const DOCUMENTED_PLATFORM_LINES: [&str; 4] = [
    r#"{"time":"2026-01-05T08:00:00.000Z","type":"platform.report","record":{"requestId":"platform-1","metrics":{"durationMs":60000.0,"billedDurationMs":60000,"memorySizeMB":512,"maxMemoryUsedMB":94},"status":"timeout"}}"#,
    r#"{"time":"2026-01-05T08:00:01.000Z","type":"platform.report","record":{"requestId":"platform-2","metrics":{"durationMs":800.1,"billedDurationMs":801,"memorySizeMB":512,"maxMemoryUsedMB":512},"status":"error","errorType":"Runtime.OutOfMemory"}}"#,
    r#"{"time":"2026-01-05T08:00:02.000Z","type":"platform.report","record":{"requestId":"platform-3","metrics":{"durationMs":12.5,"billedDurationMs":13,"memorySizeMB":512,"maxMemoryUsedMB":40},"status":"error","errorType":"Runtime.ExitError"}}"#,
    r#"{"time":"2026-01-05T08:00:03.000Z","type":"platform.initReport","record":{"initializationType":"on-demand","phase":"init","status":"timeout","metrics":{"durationMs":10000.487}}}"#,
];

/// The same of an invocation that ended well, which is written at the system log level `INFO`.
const DOCUMENTED_SUCCESS: &str = r#"{"time":"2026-01-05T08:00:04.000Z","type":"platform.report","record":{"requestId":"platform-5","metrics":{"durationMs":9.5,"billedDurationMs":10,"memorySizeMB":512,"maxMemoryUsedMB":40},"status":"success"}}"#;

/// The columns of which one at least tells why a line of the function's own is there.
const CAUSES: [&str; 3] = ["fields.error", "fields.cause", "fields.location"];

/// A query that the template saves.
#[derive(Debug)]
pub struct SavedQuery {
    /// Its name, without the stack's.
    pub name: String,
    text: String,
}

impl SavedQuery {
    /// The queries on this log group.
    ///
    /// # Panics
    /// Where there is none.
    #[must_use]
    pub fn of_log_group(log_group: &str) -> Vec<Self> {
        let template = template();
        let resources = template["Resources"].as_object().expect("resources").values();
        let found: Vec<_> = resources
            .filter(|it| it["Type"] == "AWS::Logs::QueryDefinition")
            .map(|it| &it["Properties"])
            .filter(|it| it["LogGroupNames"][0] == log_group)
            .map(|it| {
                let text = |name: &str| it[name].as_str().expect("a text").to_owned();
                let name = text("Name").replace("${AWS::StackName}/", "");
                Self { name, text: text("QueryString") }
            })
            .collect();
        assert!(!found.is_empty(), "no query on {log_group}");
        found
    }

    /// What it finds in a function's lines and Lambda's own.
    ///
    /// # Panics
    /// Where it names a field that no line has, or finds nothing.
    #[track_caller]
    pub fn rows(&self, lines: &[Value]) -> Vec<Row> {
        let of_lambda = DOCUMENTED_PLATFORM_LINES.iter().chain([&DOCUMENTED_SUCCESS]);
        let of_lambda = of_lambda.map(|line| serde_json::from_str(line).expect("JSON"));
        let lines: Vec<_> = lines.iter().cloned().chain(of_lambda).collect();
        let rows = insights::run(&self.text, &lines);
        let rows = rows.unwrap_or_else(|error| panic!("{}: {error}", self.name));
        assert!(!rows.is_empty(), "{} finds nothing", self.name);
        rows
    }

    /// Checks that it finds every line of Lambda's own about an invocation that ended badly, and of the
    /// function's lines those with these messages, each with what tells its cause.
    ///
    /// # Panics
    /// Where it does not.
    #[track_caller]
    pub fn assert_finds_errors(&self, lines: &[Value], messages: &[&str]) {
        let rows = self.rows(lines);
        let (of_lambda, own): (Vec<_>, Vec<_>) =
            rows.iter().partition(|row| row.contains_key("record.status"));
        assert_eq!(
            of_lambda.len(),
            DOCUMENTED_PLATFORM_LINES.len(),
            "{}: {of_lambda:?}",
            self.name
        );
        assert!(of_lambda.iter().all(|row| row["record.status"] != "success"), "{of_lambda:?}");
        let no_cause = own.iter().find(|row| CAUSES.iter().all(|name| !row.contains_key(*name)));
        assert_eq!(no_cause, None, "{}: what caused it?", self.name);
        let mut found: Vec<_> =
            own.iter().map(|row| row["fields.message"].as_str().expect("a message")).collect();
        found.sort_unstable();
        assert_eq!(found, messages, "{}", self.name);
    }
}
