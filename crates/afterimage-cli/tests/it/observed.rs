//! What a real stack writes, and what the template makes of its metrics: dashboard and alarms.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use aws_sdk_dynamodb::types::AttributeValue::S;
use serde_json::Value;
use serde_yaml_ng::Value as Yaml;

use crate::program::repository;
use crate::up::{Stack, client};

/// How often a stack is asked before it counts as stuck.
const QUESTIONS: usize = 20_000;

/// A stack with a log file, on which records are applied, parked and failed.
pub struct Observed {
    pub stack: Stack,
    pub folder: tempfile::TempDir,
}

impl Observed {
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("UTF-8").to_owned();
        let observed = Self { stack: Stack::start(&["--data-dir", &path, "--no-seed"]), folder };
        observed.put(
            "derived",
            &[
                ("pk", S("albums-by-genre".into())),
                ("sk", S("Broken".into())),
                ("count", S("many".into())),
            ],
        );
        observed.put_album("Powerage", S("Rock".into()));
        // Longer than a group may be.
        observed.put_album("Flick of the Switch", S("R".repeat(1025)));
        observed.put_album("Fly on the Wall", S("Broken".into()));
        for outcome in ["applied", "parked", "failed"] {
            observed.wait_for(|status| status["views"]["genre-counts"][outcome].is_u64());
        }
        observed
    }

    pub fn data_dir(&self) -> &str {
        self.folder.path().to_str().expect("UTF-8")
    }

    pub fn put_album(&self, album: &str, genre: aws_sdk_dynamodb::types::AttributeValue) {
        self.put(
            "albums",
            &[("Artist", S("AC/DC".into())), ("Album", S(album.into())), ("Genre", genre)],
        );
    }

    pub fn put_message(&self, text: &str) {
        self.put(
            "messages",
            &[
                ("pk", S("MSG#g".into())),
                ("sk", S("2026-01-05T08:00:00.000000+00:00".into())),
                ("message", S(text.into())),
            ],
        );
    }

    fn put(&self, table: &str, item: &[(&str, aws_sdk_dynamodb::types::AttributeValue)]) {
        let mut put = client(&self.stack.dynamodb_url).put_item();
        put = put.table_name(format!("afterimage-{table}"));
        for (name, value) in item {
            put = put.item(*name, value.clone());
        }
        runtime().block_on(put.send()).expect("a put");
    }

    #[track_caller]
    fn wait_for(&self, is_met: impl Fn(&Value) -> bool) {
        let status = || {
            let answer = self.stack.get("/local/status");
            let body = answer.split("\r\n\r\n").nth(1).expect("a body");
            serde_json::from_str(body).expect("JSON")
        };
        assert!((0..QUESTIONS).any(|_| is_met(&status())), "{}", status());
    }

    fn lines(&self) -> Vec<Value> {
        let path = self.folder.path().join("logs/functions.jsonl");
        let text = std::fs::read_to_string(path).expect("a log");
        let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
        whole.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Runtime::new().expect("a runtime")
}

/// The lines of a stack that met everything that is counted.
fn lines() -> &'static [Value] {
    static LINES: OnceLock<Vec<Value>> = OnceLock::new();
    LINES.get_or_init(|| Observed::start().lines())
}

/// The properties of the template's resources of a kind, CloudFormation's tags reduced to what they hold.
fn resources(kind: &str) -> BTreeMap<String, Yaml> {
    let text = std::fs::read_to_string(repository().join("template.yaml")).expect("a template");
    let template: Yaml = serde_yaml_ng::from_str(&text).expect("YAML");
    let resources = template["Resources"].as_mapping().expect("resources").iter();
    let of_kind = resources.filter(|(_, resource)| resource["Type"] == kind);
    let found: BTreeMap<_, _> = of_kind
        .map(|(name, it)| (name.as_str().expect("a name").to_owned(), it["Properties"].clone()))
        .collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

fn tagged_text(yaml: &Yaml) -> &str {
    match yaml {
        Yaml::Tagged(tagged) => tagged_text(&tagged.value),
        other => other.as_str().expect("a text"),
    }
}

/// A metric, and the names of the dimensions that it is kept apart by.
type MetricName = (String, BTreeSet<String>);

fn name(metric: &str, dimensions: &[&str]) -> MetricName {
    (metric.to_owned(), dimensions.iter().map(|it| (*it).to_owned()).collect())
}

fn written_metrics() -> BTreeSet<MetricName> {
    let mut found = BTreeSet::new();
    for line in lines() {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().into_iter().flatten() {
            assert_eq!(directive["Namespace"], "Afterimage");
            for set in directive["Dimensions"].as_array().expect("sets") {
                let set: Vec<_> =
                    set.as_array().expect("a set").iter().filter_map(Value::as_str).collect();
                let metrics = directive["Metrics"].as_array().expect("metrics").iter();
                found.extend(metrics.map(|it| name(it["Name"].as_str().expect("a name"), &set)));
            }
        }
    }
    found
}

#[test]
fn alarms_rest_on_metrics_that_are_written() {
    let written = written_metrics();
    let mut own_count = 0;
    for (alarm_name, alarm) in resources("AWS::CloudWatch::Alarm") {
        let calculated = alarm["Metrics"].as_sequence().into_iter().flatten();
        let calculated =
            calculated.map(|it| &it["MetricStat"]["Metric"]).filter(|it| !it.is_null());
        for metric in
            std::iter::once(&alarm).filter(|it| !it["Namespace"].is_null()).chain(calculated)
        {
            if metric["Namespace"] == "Afterimage" {
                let dimensions = || metric["Dimensions"].as_sequence().into_iter().flatten();
                let own = dimensions().filter(|it| it["Name"] == "FunctionName");
                assert!(own.map(|it| tagged_text(&it["Value"])).eq(["StreamProcessor"]));
                let dimensions: Vec<_> =
                    dimensions().filter_map(|it| it["Name"].as_str()).collect();
                let metric = name(metric["MetricName"].as_str().expect("a name"), &dimensions);
                assert!(
                    written.contains(&metric),
                    "{alarm_name}: {metric:?} is not in {written:?}"
                );
                own_count += 1;
            }
        }
        assert_eq!(alarm["TreatMissingData"], "notBreaching", "{alarm_name}");
        let Yaml::Tagged(actions) = &alarm["AlarmActions"] else {
            panic!("{alarm_name} asks no condition")
        };
        assert_eq!(actions.value[0], "AlarmsHaveTopic", "{alarm_name}");
    }
    assert!(own_count > 0);
}

#[test]
fn the_dashboard_shows_metrics_that_are_written() {
    let written = written_metrics();
    let dashboards = resources("AWS::CloudWatch::Dashboard");
    let body: Value =
        serde_json::from_str(tagged_text(&dashboards["Dashboard"]["DashboardBody"])).expect("JSON");
    let mut shown = BTreeSet::new();
    for widget in body["widgets"].as_array().expect("widgets") {
        for metric in widget["properties"]["metrics"].as_array().expect("metrics") {
            if let Some(expression) = metric[0]["expression"].as_str() {
                shown.extend(searched(expression));
            } else if metric[0] == "Afterimage" {
                let words: Vec<_> =
                    metric.as_array().expect("it").iter().filter_map(Value::as_str).collect();
                assert_eq!(words[2..4], OF_THIS_STACK, "{words:?}");
                let dimensions: Vec<_> = words[2..].iter().step_by(2).copied().collect();
                shown.insert(name(words[1], &dimensions));
            }
        }
    }
    let unknown: Vec<_> = shown.difference(&written).collect();
    assert!(unknown.is_empty(), "{unknown:?} is not in {written:?}");
    for metric in [
        "view_lag_seconds",
        "record_count",
        "duplicate_count",
        "parked_count",
        "conflict_count",
        "write_units",
        "duration_ms",
    ] {
        assert!(shown.iter().any(|(name, _)| name == metric), "{metric} is not shown");
    }
}

/// The dimension that keeps deployments apart: another stack's metrics are not this one's.
const OF_THIS_STACK: [&str; 2] = ["FunctionName", "${StreamProcessor}"];

/// The metric of `SEARCH('{Namespace,Dimension,…} FunctionName="…" MetricName="…"', …)`.
fn searched(expression: &str) -> Option<MetricName> {
    let (schema, rest) = expression.strip_prefix("SEARCH('{Afterimage,")?.split_once('}')?;
    let [dimension, function] = OF_THIS_STACK;
    let rest = rest.trim_start().strip_prefix(&format!("{dimension}=\"{function}\" "));
    let rest = rest.unwrap_or_else(|| panic!("{expression} asks for any stack's metrics"));
    let metric = rest.strip_prefix("MetricName=\"")?.split('"').next()?;
    Some(name(metric, &schema.split(',').collect::<Vec<_>>()))
}
