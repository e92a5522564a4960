//! CloudWatch's embedded metric format: log lines that carry metrics
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>).

use serde_json::{Map, Value, json};

/// The namespace of every metric.
pub const NAMESPACE: &str = "Afterimage";

/// What a metric is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things.
    Count,
    /// Thousandths of a second.
    Milliseconds,
    /// Seconds.
    Seconds,
}

impl Unit {
    /// The name in CloudWatch.
    const fn name(self) -> &'static str {
        match self {
            Unit::Count => "Count",
            Unit::Milliseconds => "Milliseconds",
            Unit::Seconds => "Seconds",
        }
    }
}

/// A line that is a log event and carries metrics: its members are all at the root, where the format
/// looks for metrics and dimensions.
#[derive(Debug)]
pub struct MetricLine {
    members: Map<String, Value>,
    dimensions: Vec<&'static str>,
    metrics: Vec<Value>,
}

impl MetricLine {
    /// A line with this message, and no metric.
    #[must_use]
    pub fn new(message: &str) -> Self {
        let members = Map::from_iter([
            ("level".to_owned(), json!("INFO")),
            ("message".to_owned(), json!(message)),
        ]);
        Self { members, dimensions: Vec::new(), metrics: Vec::new() }
    }

    /// A field that is no metric.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.members.insert(name.to_owned(), value.into());
        self
    }

    /// A field that every metric of the line is kept apart by; its values must be few.
    #[must_use]
    pub fn dimension(mut self, name: &'static str, value: &str) -> Self {
        self.dimensions.push(name);
        self.field(name, value)
    }

    /// A field that is a metric.
    #[must_use]
    pub fn metric(mut self, name: &str, unit: Unit, value: impl Into<Value>) -> Self {
        self.metrics.push(json!({ "Name": name, "Unit": unit.name() }));
        self.field(name, value)
    }

    /// The line as JSON, without a line feed.
    #[must_use]
    pub fn to_json(&self, timestamp_ms: i64) -> String {
        let mut members = self.members.clone();
        let directive = json!({
            "Namespace": NAMESPACE,
            "Dimensions": [self.dimensions],
            "Metrics": self.metrics,
        });
        members.insert(
            "_aws".to_owned(),
            json!({ "Timestamp": timestamp_ms, "CloudWatchMetrics": [directive] }),
        );
        Value::Object(members).to_string()
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn a_line_holds_its_metrics_and_what_they_are_kept_apart_by() {
        let line = MetricLine::new("view updated")
            .dimension("View", "order-counts")
            .metric("view_lag_seconds", Unit::Seconds, 1.5)
            .field("requestId", "r1");
        expect![[r#"{"View":"order-counts","_aws":{"CloudWatchMetrics":[{"Dimensions":[["View"]],"Metrics":[{"Name":"view_lag_seconds","Unit":"Seconds"}],"Namespace":"Afterimage"}],"Timestamp":7},"level":"INFO","message":"view updated","requestId":"r1","view_lag_seconds":1.5}"#]]
        .assert_eq(&line.to_json(7));
    }
}
