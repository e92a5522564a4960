//! Whether the mappings of a template deliver what the views need. A view that gets less counts wrong while
//! everything says that it is drained.

use afterimage::Views;
use afterimage::views::Slice;
use afterimage_schema::Table;
use serde_yaml_ng::Value;

use super::filter::Wanted;
use super::settings::{MappingSettings, SettingsError, read_settings};
use crate::template::resources_of_type;

/// Why a view would count wrong, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("view `{view}`: {problem}; {fix}")]
pub struct Starvation {
    /// The view.
    pub view: String,
    /// What it does not get, and why.
    pub problem: String,
    /// What to write instead.
    pub fix: String,
}

/// What of these views the mappings starve. Each mapping of a table must deliver all: which of several is
/// the processor's is not known here.
#[must_use]
pub fn starved(views: &Views, mappings: &[MappingSettings]) -> Vec<Starvation> {
    let mut found = Vec::new();
    for requirement in views.requirements() {
        let of_table: Vec<_> = mappings.iter().filter(|it| it.table == requirement.table).collect();
        for slice in &requirement.slices {
            if of_table.is_empty() {
                found.push(unmapped(&requirement.table, slice));
            }
            found.extend(of_table.iter().filter_map(|mapping| filtered(mapping, slice)));
        }
    }
    found
}

fn unmapped(table: &Table, slice: &Slice) -> Starvation {
    Starvation {
        view: slice.view.clone(),
        problem: format!("no mapping reads the stream of its table `{table}`"),
        fix: "add an AWS::Lambda::EventSourceMapping whose EventSourceArn is that stream"
            .to_owned(),
    }
}

fn filtered(mapping: &MappingSettings, slice: &Slice) -> Option<Starvation> {
    let key_prefixes = &slice.key_prefixes;
    let is_missing =
        |event_name: &&str| !mapping.filters.deliver_all(Wanted { event_name, key_prefixes });
    let names = slice.changes.iter().map(|change| change.event_name());
    let missing: Vec<_> = names.filter(is_missing).collect();
    (!missing.is_empty()).then(|| Starvation {
        view: slice.view.clone(),
        problem: format!(
            "the filters of the mapping {} do not deliver every {} record that it needs",
            mapping.name,
            missing.join(", ")
        ),
        fix: format!("take the filters out, or add the pattern {}", slice.pattern()),
    })
}

/// What of these views a SAM template starves: filters, missing mappings, and streams without new images. Only
/// the mappings of `function`, by its logical id, count if one is named: other readers of the streams may
/// filter as they like.
///
/// # Errors
/// [`SettingsError`] if the template or one of its mappings does not read.
pub fn starved_by_template(
    views: &Views,
    template: &str,
    function: Option<&str>,
) -> Result<Vec<Starvation>, SettingsError> {
    let mut mappings = read_settings(template)?;
    mappings.retain(|it| function.is_none_or(|function| it.function_name == function));
    let mut found = starved(views, &mappings);
    for (resource, table) in resources_of_type(template, "AWS::DynamoDB::Table")? {
        let specification = table.get("StreamSpecification");
        let view_type =
            specification.and_then(|it| it.get("StreamViewType")).and_then(Value::as_str);
        if view_type.is_some_and(|it| it.starts_with("NEW_")) {
            continue;
        }
        let name = super::settings::table_of_resource(&resource);
        for view in views.iter().filter(|view| name.as_ref() == Some(view.source())) {
            let stream = view_type.map_or_else(
                || "has no stream".to_owned(),
                |it| format!("has a stream of view type {it}, without new images"),
            );
            found.push(Starvation {
                view: view.name().to_owned(),
                problem: format!("the table {resource} {stream}"),
                fix: "write `StreamSpecification: { StreamViewType: NEW_IMAGE }`".to_owned(),
            });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    const VIEWS: &str = r#"
        [table.orders]
        partition_key = "pk"
        [[view]]
        name = "paid"
        kind = "count"
        source = "orders"
        where = { pk = { prefix = "ORDER#" } }
        group_by = "status"
        remove = "retract"
        target = { table = "derived", pk = "paid", sk = "{status}", count = "count" }
    "#;

    #[track_caller]
    fn check(patterns: &[&str], view_type: &str, expected: &Expect) {
        let filters = patterns.iter().map(|it| format!("          - Pattern: '{it}'\n"));
        let criteria = match patterns.is_empty() {
            true => String::new(),
            false => {
                format!("      FilterCriteria:\n        Filters:\n{}", filters.collect::<String>())
            }
        };
        let template = format!(
            "Resources:
  OrdersTable:
    Type: AWS::DynamoDB::Table
    Properties: {{StreamSpecification: {{StreamViewType: {view_type}}}}}
  Worker: {{Type: 'AWS::Serverless::Function', Properties: {{Timeout: 9}}}}
  Orders:
    Type: AWS::Lambda::EventSourceMapping
    Properties:
      FunctionName: !Ref Worker
      EventSourceArn: !GetAtt OrdersTable.StreamArn
      StartingPosition: TRIM_HORIZON
{criteria}"
        );
        let views = Views::parse(VIEWS).expect("views");
        let found = starved_by_template(&views, &template, None).expect("a template");
        let lines: String = found.iter().map(|it| format!("{it}\n")).collect();
        expected.assert_eq(&lines);
    }

    #[test]
    fn mappings_that_deliver_everything_starve_nobody() {
        let nothing = expect![""];
        check(&[], "NEW_IMAGE", &nothing);
        check(&[], "NEW_AND_OLD_IMAGES", &nothing);
        check(&[r#"{"eventSource": ["aws:dynamodb"]}"#], "NEW_IMAGE", &nothing);
        check(
            &[r#"{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "OTHER"}, {"prefix": "ORD"}]}}}}"#],
            "NEW_IMAGE",
            &nothing,
        );
        check(
            &[r#"{"eventName": ["REMOVE"]}"#, r#"{"eventName": [{"anything-but": ["REMOVE"]}]}"#],
            "NEW_IMAGE",
            &nothing,
        );
    }

    #[test]
    fn what_a_mapping_keeps_back_is_said_with_the_pattern_that_would_do() {
        check(
            &[r#"{"eventName": [{"anything-but": ["REMOVE"]}]}"#],
            "NEW_IMAGE",
            &expect![[r#"
                view `paid`: the filters of the mapping Orders do not deliver every REMOVE record that it needs; take the filters out, or add the pattern {"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"ORDER#"}]}}},"eventName":["INSERT","MODIFY","REMOVE"]}
            "#]],
        );
        check(
            &[r#"{"dynamodb": {"Keys": {"pk": {"S": [{"prefix": "ORDER#1"}]}}}}"#],
            "NEW_IMAGE",
            &expect![[r#"
                view `paid`: the filters of the mapping Orders do not deliver every INSERT, MODIFY, REMOVE record that it needs; take the filters out, or add the pattern {"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"ORDER#"}]}}},"eventName":["INSERT","MODIFY","REMOVE"]}
            "#]],
        );
        check(
            &[r#"{"dynamodb": {"NewImage": {"status": {"S": ["paid"]}}}}"#],
            "NEW_IMAGE",
            &expect![[r#"
                view `paid`: the filters of the mapping Orders do not deliver every INSERT, MODIFY, REMOVE record that it needs; take the filters out, or add the pattern {"dynamodb":{"Keys":{"pk":{"S":[{"prefix":"ORDER#"}]}}},"eventName":["INSERT","MODIFY","REMOVE"]}
            "#]],
        );
    }

    #[test]
    fn a_mapping_of_another_reader_hides_nothing_and_counts_unless_the_function_is_named() {
        let mapping = |name: &str, function: &str, criteria: &str| {
            format!(
                "  {name}:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {{FunctionName: !Ref {function}, EventSourceArn: !GetAtt OrdersTable.StreamArn,
      StartingPosition: TRIM_HORIZON{criteria}}}
"
            )
        };
        let removals = r#", FilterCriteria: {Filters: [{Pattern: '{"eventName": ["REMOVE"]}'}]}"#;
        let template = [
            "Resources:\n".to_owned(),
            mapping("Archive", "Archiver", ""),
            mapping("Orders", "Processor", removals),
        ];
        let views = Views::parse(VIEWS).expect("views");
        let count = |function| {
            starved_by_template(&views, &template.concat(), function).expect("a template").len()
        };
        assert_eq!((count(None), count(Some("Processor")), count(Some("Archiver"))), (1, 1, 0));
        assert_eq!(count(Some("Nobody")), 1, "no mapping at all");
    }

    #[test]
    fn a_stream_without_new_images_is_said() {
        for view_type in ["KEYS_ONLY", "OLD_IMAGE"] {
            let expected = format!(
                "view `paid`: the table OrdersTable has a stream of view type {view_type}, without new images; write `StreamSpecification: {{ StreamViewType: NEW_IMAGE }}`"
            );
            let views = Views::parse(VIEWS).expect("views");
            let template = format!(
                "Resources: {{OrdersTable: {{Type: 'AWS::DynamoDB::Table', Properties: {{StreamSpecification: {{StreamViewType: {view_type}}}}}}}}}"
            );
            let found = starved_by_template(&views, &template, None).expect("a template");
            let said: Vec<_> = found.iter().map(ToString::to_string).collect();
            assert!(said.contains(&expected), "{said:?}");
            assert!(said.iter().any(|it| it.contains("no mapping reads the stream")), "{said:?}");
        }
    }
}
