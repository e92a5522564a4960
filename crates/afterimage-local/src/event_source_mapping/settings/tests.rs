use std::error::Error;

use expect_test::{Expect, expect};

use super::read_settings;
use crate::template::TEMPLATE;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "`expect!` makes it at the call")]
fn check(properties: &str, expected: Expect) {
    let position = match properties.contains("StartingPosition") {
        true => "",
        false => "StartingPosition: TRIM_HORIZON, ",
    };
    let template = format!(
        "Resources:
  Worker: {{Type: 'AWS::Serverless::Function', Properties: {{Timeout: 9}}}}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref Worker, EventSourceArn: !GetAtt AlbumsTable.StreamArn,
      {position}{properties}}}
"
    );
    let found = match read_settings(&template) {
        Ok(settings) => format!("{:?}", settings[0]),
        Err(error) => match error.source() {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        },
    };
    expected.assert_eq(&found);
}

#[test]
fn settings_have_lambda_s_defaults_and_limits() {
    check(
        "",
        expect![[
            r#"MappingSettings { name: "Mapping", table: Table("albums"), function_name: "Worker", function_timeout: 9s, starting_position: TrimHorizon, batch_size: 100, batching_window: 0ns, parallelization_factor: 1, maximum_retry_attempts: None, maximum_record_age: None, bisect_on_function_error: false, reports_batch_item_failures: false, filters: Filters { patterns: [] } }"#
        ]],
    );
    check(
        "BatchSize: 0",
        expect!["template.yaml: BatchSize of the mapping Mapping is 0; give it 1 to 10000"],
    );
    check(
        "BatchSize: 10001",
        expect!["template.yaml: BatchSize of the mapping Mapping is 10001; give it 1 to 10000"],
    );
    check(
        "MaximumBatchingWindowInSeconds: 301",
        expect![
            "template.yaml: MaximumBatchingWindowInSeconds of the mapping Mapping is 301; give it 0 to 300"
        ],
    );
    check(
        "ParallelizationFactor: 11",
        expect![
            "template.yaml: ParallelizationFactor of the mapping Mapping is 11; give it 1 to 10"
        ],
    );
    check(
        "MaximumRetryAttempts: -2",
        expect![
            "template.yaml: MaximumRetryAttempts of the mapping Mapping is -2; give it -1 to 10000"
        ],
    );
    check(
        "MaximumRecordAgeInSeconds: 59",
        expect![
            "template.yaml: MaximumRecordAgeInSeconds of the mapping Mapping is 59; give it -1, or 60 to 604800"
        ],
    );
    check(
        "StartingPosition: AT_TIMESTAMP",
        expect![
            "template.yaml: the mapping Mapping does not read: unknown variant `AT_TIMESTAMP`, expected `TRIM_HORIZON` or `LATEST`"
        ],
    );
    check(
        "TumblingWindowInSeconds: 10",
        expect![
            "template.yaml: the mapping Mapping does not read: unknown field `TumblingWindowInSeconds`, expected one of `FunctionName`, `EventSourceArn`, `StartingPosition`, `BatchSize`, `MaximumBatchingWindowInSeconds`, `ParallelizationFactor`, `MaximumRetryAttempts`, `MaximumRecordAgeInSeconds`, `BisectBatchOnFunctionError`, `FunctionResponseTypes`, `FilterCriteria`, `DestinationConfig`, `MetricsConfig`"
        ],
    );
    check(
        "FilterCriteria: {Filters: [{Pattern: '[]'}]}",
        expect![
            "template.yaml: a filter of the mapping Mapping does not read: a pattern is no JSON object: []"
        ],
    );
}

#[test]
fn the_template_has_a_mapping_for_each_stream() {
    let settings = read_settings(TEMPLATE).expect("the template reads");
    let tables: Vec<&str> = settings.iter().map(|it| it.table.logical_name()).collect();
    assert_eq!(tables, ["albums", "messages"]);
    assert!(
        settings.iter().all(|it| it.reports_batch_item_failures && it.bisect_on_function_error)
    );
    assert!(settings.iter().all(|it| it.function_name == "StreamProcessor"));
}
