//! What the alarms watch. The pages in the comments tell what AWS calls its own metrics.

use expect_test::expect;
use serde_json::Value;

use super::super::text;
use super::of_type;

/// A metric as `namespace metric dimension=value, statistic of seconds`.
fn metric(place: &Value, metric: &Value) -> String {
    let dimension = &metric["Dimensions"][0];
    let statistic = place.get("Statistic").or(place.get("Stat"));
    let words = [
        &metric["Namespace"],
        &metric["MetricName"],
        &dimension["Name"],
        &dimension["Value"],
        statistic.unwrap_or(&Value::Null),
    ];
    let [namespace, name, dimension, value, statistic] =
        words.map(|it| it.as_str().expect("a text"));
    let period_seconds = &place["Period"];
    format!("{namespace} {name} {dimension}={value}, {statistic} of {period_seconds} s")
}

/// A line of what is compared, and one for each metric.
fn described(name: &str, alarm: &Value) -> String {
    let alarm = &alarm["Properties"];
    let metrics = alarm["Metrics"].as_array();
    let expressions = metrics.into_iter().flatten().filter_map(|it| it["Expression"].as_str());
    let compared: String = expressions.collect();
    let calculated = metrics.into_iter().flatten().map(|it| &it["MetricStat"]);
    let mut lines: Vec<_> = calculated
        .filter(|it| !it.is_null())
        .map(|place| metric(place, &place["Metric"]))
        .collect();
    if metrics.is_none() {
        lines.push(metric(alarm, alarm));
    }
    assert_eq!(alarm["ComparisonOperator"], "GreaterThanThreshold", "{name}");
    assert_eq!(alarm["TreatMissingData"], "notBreaching", "{name}");
    let (threshold, periods) = (&alarm["Threshold"], &alarm["EvaluationPeriods"]);
    let says_when_over =
        if alarm["OKActions"].is_null() { "" } else { ", and says when it is over" };
    let head = format!("{name}: {compared} > {threshold}, {periods} times{says_when_over}");
    std::iter::once(head.replace(":  >", ": >")).chain(lines).collect::<Vec<_>>().join("\n  ")
}

// Lambda's metrics: https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html
// SQS's: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-available-cloudwatch-metrics.html
// HTTP APIs': https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-metrics.html
#[test]
fn alarms_watch_these_metrics() {
    let alarms: Vec<_> = of_type("AWS::CloudWatch::Alarm")
        .iter()
        .map(|(name, alarm)| described(name, alarm))
        .collect();
    expect![[r#"
        ApiErrorsAlarm: 100 * errors / requests > 1, 1 times, and says when it is over
          AWS/ApiGateway 5xx ApiId=HttpApi, Sum of 300 s
          AWS/ApiGateway Count ApiId=HttpApi, Sum of 300 s
        DroppedEventsAlarm: FILL(albums, 0) + FILL(messages, 0) > 0, 1 times
          AWS/Lambda DroppedEventCount EventSourceMappingUUID=AlbumsMapping.Id, Sum of 300 s
          AWS/Lambda DroppedEventCount EventSourceMappingUUID=MessagesMapping.Id, Sum of 300 s
        FailedRecordsAlarm: > 0, 5 times, and says when it is over
          Afterimage failed_count FunctionName=StreamProcessor, Sum of 60 s
        IteratorAgeAlarm: > 60000, 3 times, and says when it is over
          AWS/Lambda IteratorAge FunctionName=StreamProcessor, Maximum of 60 s
        ParkedAlarm: > 0, 1 times
          Afterimage parked_count FunctionName=StreamProcessor, Sum of 60 s
        PostConfirmationErrorsAlarm: > 0, 1 times
          AWS/Lambda Errors FunctionName=PostConfirmation, Sum of 60 s
        ProcessorErrorsAlarm: 100 * errors / invocations > 1, 1 times, and says when it is over
          AWS/Lambda Errors FunctionName=StreamProcessor, Sum of 300 s
          AWS/Lambda Invocations FunctionName=StreamProcessor, Sum of 300 s
        UndeliveredAlarm: waiting + received > 0, 1 times, and says when it is over
          AWS/SQS ApproximateNumberOfMessagesVisible QueueName=UndeliveredRecords.QueueName, Maximum of 60 s
          AWS/SQS ApproximateNumberOfMessagesNotVisible QueueName=UndeliveredRecords.QueueName, Maximum of 60 s
        ViewsDifferAlarm: > 0, 1 times, and says when it is over
          Afterimage difference_count FunctionName=StreamProcessor, Maximum of 60 s
    "#]]
    .assert_eq(&(alarms.join("\n") + "\n"));
}

#[test]
fn every_alarm_is_explained() {
    let page = text("docs/operating.md");
    for name in of_type("AWS::CloudWatch::Alarm").keys() {
        assert!(page.contains(&format!("`{name}`")), "docs/operating.md does not name {name}");
    }
}
