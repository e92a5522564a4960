//! The settings of the mappings, read from the template.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use afterimage_schema::{Table, TableNameError, TableNames};
use serde::Deserialize;
use serde_yaml_ng::Value;

use super::filter::{FilterError, Filters};
use crate::template::{reference, resources_of_type};

/// Lambda's default where a function of the template has no `Timeout`
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-timeout.html>).
const DEFAULT_TIMEOUT_SECS: u64 = 3;

/// Where a mapping begins in a stream that it has no checkpoint of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum StartingPosition {
    /// With the oldest record that the stream keeps.
    TrimHorizon,
    /// Behind the newest record.
    Latest,
}

/// The settings of one mapping, within the limits that Lambda sets
/// (<https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html>).
#[derive(Debug, Clone)]
pub struct MappingSettings {
    /// The mapping's logical id in the template.
    pub name: String,
    /// The table whose stream it reads.
    pub table: Table,
    /// The logical id of the function that it calls.
    pub function_name: String,
    /// How long one invocation may take.
    pub function_timeout: Duration,
    /// Where it begins.
    pub starting_position: StartingPosition,
    /// The most records in a batch: 1 to 10,000.
    pub batch_size: usize,
    /// How long it gathers a batch after the invocation before: 0 to 300 seconds.
    pub batching_window: Duration,
    /// How many batches of one shard may be under way at once: 1 to 10.
    pub parallelization_factor: usize,
    /// How often a batch is tried again: 0 to 10,000; `None` is without end.
    pub maximum_retry_attempts: Option<u32>,
    /// How old a record may be that is tried again: 60 to 604,800 seconds; `None` is any age.
    pub maximum_record_age: Option<Duration>,
    /// Whether a batch that fails is split in two.
    pub bisect_on_function_error: bool,
    /// Whether the function's response names the records that failed.
    pub reports_batch_item_failures: bool,
    /// Which records it delivers.
    pub filters: Filters,
}

impl MappingSettings {
    /// The same settings for another table, without filters: every record is delivered.
    #[must_use]
    pub fn for_table(&self, table: &Table) -> Self {
        Self {
            name: format!("mapping of {table}"),
            table: table.clone(),
            filters: Filters::default(),
            ..self.clone()
        }
    }
}

/// The settings of one mapping, and the real name of the table that it reads.
#[derive(Debug, Clone)]
pub struct TableMapping {
    /// The settings.
    pub settings: Arc<MappingSettings>,
    /// The table's real name.
    pub table_name: String,
}

impl TableMapping {
    /// The mapping of a table under its real name.
    ///
    /// # Errors
    /// [`TableNameError`] if the table has none.
    pub fn of(settings: MappingSettings, names: &TableNames) -> Result<Self, TableNameError> {
        let table_name = names.name(&settings.table)?.to_owned();
        Ok(Self { settings: Arc::new(settings), table_name })
    }
}

/// Why the settings could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// The template is not YAML.
    #[error("template.yaml does not read")]
    Syntax(#[from] serde_yaml_ng::Error),
    /// A mapping has a property that is missing, unknown or of the wrong type.
    #[error("template.yaml: the mapping {mapping} does not read")]
    Properties {
        /// The mapping's logical id.
        mapping: String,
        /// What the parser said.
        #[source]
        source: serde_yaml_ng::Error,
    },
    /// A property is outside what Lambda takes.
    #[error("template.yaml: {property} of the mapping {mapping} is {found}; give it {wanted}")]
    OutOfRange {
        /// The mapping's logical id.
        mapping: String,
        /// The property.
        property: &'static str,
        /// Its value.
        found: String,
        /// What it can be.
        wanted: &'static str,
    },
    /// A filter pattern is not understood.
    #[error("template.yaml: a filter of the mapping {mapping} does not read")]
    Filter {
        /// The mapping's logical id.
        mapping: String,
        /// What is wrong with it.
        #[source]
        source: FilterError,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawMapping {
    function_name: Value,
    event_source_arn: Value,
    starting_position: StartingPosition,
    #[serde(default = "hundred")]
    batch_size: i64,
    #[serde(default)]
    maximum_batching_window_in_seconds: i64,
    #[serde(default = "one")]
    parallelization_factor: i64,
    #[serde(default = "minus_one")]
    maximum_retry_attempts: i64,
    #[serde(default = "minus_one")]
    maximum_record_age_in_seconds: i64,
    #[serde(default)]
    bisect_batch_on_function_error: bool,
    #[serde(default)]
    function_response_types: Vec<FunctionResponseType>,
    #[serde(default)]
    filter_criteria: RawFilterCriteria,
    // Of the deployment only: the local stack keeps on-failure records in files, and has no metrics.
    #[serde(rename = "DestinationConfig")]
    _destination_config: Option<Value>,
    #[serde(rename = "MetricsConfig")]
    _metrics_config: Option<Value>,
}

#[derive(Deserialize)]
enum FunctionResponseType {
    ReportBatchItemFailures,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawFilterCriteria {
    filters: Vec<RawFilter>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct RawFilter {
    pattern: String,
}

fn hundred() -> i64 {
    100
}

fn one() -> i64 {
    1
}

fn minus_one() -> i64 {
    -1
}

/// The settings of every `AWS::Lambda::EventSourceMapping` in a template, in its order.
///
/// # Errors
/// [`SettingsError`] for a property that is unknown, missing or out of range.
pub fn read_settings(template: &str) -> Result<Vec<MappingSettings>, SettingsError> {
    let functions = resources_of_type(template, "AWS::Serverless::Function")?;
    let timeout_secs = |function: &str| {
        functions
            .iter()
            .find(|(name, _)| name == function)
            .and_then(|(_, properties)| properties.get("Timeout"))
            .and_then(Value::as_u64)
            .unwrap_or(DEFAULT_TIMEOUT_SECS)
    };
    resources_of_type(template, "AWS::Lambda::EventSourceMapping")?
        .into_iter()
        .map(|(mapping, properties)| {
            let raw = serde_yaml_ng::from_value(properties)
                .map_err(|source| SettingsError::Properties { mapping: mapping.clone(), source })?;
            validate(mapping, &raw, timeout_secs)
        })
        .collect()
}

/// Checks the numbers of one mapping.
struct Limits<'a> {
    mapping: &'a str,
}

impl Limits<'_> {
    fn refuse(&self, property: &'static str, found: &str, wanted: &'static str) -> SettingsError {
        let mapping = self.mapping.to_owned();
        SettingsError::OutOfRange { mapping, property, found: found.to_owned(), wanted }
    }

    fn number(
        &self,
        property: &'static str,
        found: i64,
        range: RangeInclusive<i64>,
        wanted: &'static str,
    ) -> Result<u32, SettingsError> {
        let in_range = range.contains(&found).then_some(found);
        in_range
            .and_then(|found| u32::try_from(found).ok())
            .ok_or_else(|| self.refuse(property, &found.to_string(), wanted))
    }

    /// As `number`; -1 is `None`.
    fn optional(
        &self,
        property: &'static str,
        found: i64,
        range: RangeInclusive<i64>,
        wanted: &'static str,
    ) -> Result<Option<u32>, SettingsError> {
        match found {
            -1 => Ok(None),
            found => self.number(property, found, range, wanted).map(Some),
        }
    }
}

fn validate(
    mapping: String,
    raw: &RawMapping,
    timeout_secs: impl Fn(&str) -> u64,
) -> Result<MappingSettings, SettingsError> {
    let limits = Limits { mapping: &mapping };
    let table = reference(&raw.event_source_arn).and_then(streamed_table).ok_or_else(|| {
        limits.refuse("EventSourceArn", "no table's stream", "!GetAtt <Table>.StreamArn")
    })?;
    let function_name = reference(&raw.function_name)
        .ok_or_else(|| limits.refuse("FunctionName", "no function's name", "!Ref <Function>"))?;
    let batch_size = limits.number("BatchSize", raw.batch_size, 1..=10_000, "1 to 10000")?;
    let window_secs = raw.maximum_batching_window_in_seconds;
    let window_secs =
        limits.number("MaximumBatchingWindowInSeconds", window_secs, 0..=300, "0 to 300")?;
    let factor = raw.parallelization_factor;
    let factor = limits.number("ParallelizationFactor", factor, 1..=10, "1 to 10")?;
    let attempts = raw.maximum_retry_attempts;
    let attempts = limits.optional("MaximumRetryAttempts", attempts, 0..=10_000, "-1 to 10000")?;
    let age_secs = limits.optional(
        "MaximumRecordAgeInSeconds",
        raw.maximum_record_age_in_seconds,
        60..=604_800,
        "-1, or 60 to 604800",
    )?;
    let patterns: Vec<&str> =
        raw.filter_criteria.filters.iter().map(|filter| filter.pattern.as_str()).collect();
    let filters = Filters::compile(&patterns)
        .map_err(|source| SettingsError::Filter { mapping: mapping.clone(), source })?;
    let reports_batch_item_failures = raw
        .function_response_types
        .iter()
        .any(|kind| matches!(kind, FunctionResponseType::ReportBatchItemFailures));
    Ok(MappingSettings {
        table,
        function_name: function_name.to_owned(),
        function_timeout: Duration::from_secs(timeout_secs(function_name)),
        starting_position: raw.starting_position,
        batch_size: batch_size as usize,
        batching_window: Duration::from_secs(window_secs.into()),
        parallelization_factor: factor as usize,
        maximum_retry_attempts: attempts,
        maximum_record_age: age_secs.map(|secs| Duration::from_secs(secs.into())),
        bisect_on_function_error: raw.bisect_batch_on_function_error,
        reports_batch_item_failures,
        filters,
        name: mapping,
    })
}

/// The table that `<Table>.StreamArn` names.
fn streamed_table(attribute: &str) -> Option<Table> {
    table_of_resource(attribute.strip_suffix(".StreamArn")?)
}

/// The table of a resource: `MyOrdersTable` is the table `my-orders`.
pub(crate) fn table_of_resource(resource: &str) -> Option<Table> {
    let resource = resource.strip_suffix("Table")?;
    let mut name = String::new();
    for character in resource.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name.parse().ok()
}

#[cfg(test)]
mod tests;
