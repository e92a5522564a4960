//! Operations that the emulator does not have, and that clients call when they bind a model to a table: what AWS
//! answers for an ordinary table, which has no backups, replicas, exports or policies.

use axum::http::StatusCode;
use dynoxide::TableMetadata;
use serde_json::{Value, json};

/// The default quotas of an account and of a table, in capacity units
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>).
const ACCOUNT_MAX_CAPACITY_UNITS: u32 = 80_000;
const TABLE_MAX_CAPACITY_UNITS: u32 = 40_000;

/// How long a client may keep an endpoint, as AWS answers
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Endpoint.html>).
const ENDPOINT_CACHE_PERIOD_IN_MINUTES: u32 = 1_440;

/// What an operation that is not answered gets.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    /// The HTTP status.
    pub status: StatusCode,
    /// The `__type` of the error.
    pub code: &'static str,
    /// What the caller reads.
    pub message: String,
}

impl Refusal {
    /// What the emulator could not do. The log has the reason.
    pub(super) fn internal() -> Self {
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            code: "com.amazonaws.dynamodb.v20120810#InternalServerError",
            message: "the embedded DynamoDB failed; its log says why".to_owned(),
        }
    }

    fn of_request(code: &'static str, message: String) -> Self {
        Self { status: StatusCode::BAD_REQUEST, code, message }
    }
}

/// The table that a request names, by name or ARN.
pub(super) fn table_name(request: &Value) -> Option<&str> {
    let named = ["TableName", "ResourceArn"].iter().find_map(|it| request.get(it))?.as_str()?;
    if !named.starts_with("arn:") {
        return Some(named);
    }
    let (_, resource) = named.split_once(":table/")?;
    resource.split('/').next()
}

/// Answers an operation. `table` is what stands under the name that the request gives, and `host` is where the client
/// found this endpoint.
///
/// # Errors
/// [`Refusal`] if the table, index or policy is absent, or if nothing is known of the operation, which it names.
pub(super) fn answer(
    operation: &str,
    request: &Value,
    table: Option<&TableMetadata>,
    host: &str,
) -> Result<Value, Refusal> {
    match operation {
        "DescribeLimits" => Ok(json!({
            "AccountMaxReadCapacityUnits": ACCOUNT_MAX_CAPACITY_UNITS,
            "AccountMaxWriteCapacityUnits": ACCOUNT_MAX_CAPACITY_UNITS,
            "TableMaxReadCapacityUnits": TABLE_MAX_CAPACITY_UNITS,
            "TableMaxWriteCapacityUnits": TABLE_MAX_CAPACITY_UNITS,
        })),
        "DescribeEndpoints" => {
            let endpoint = json!({ "Address": host, "CachePeriodInMinutes": ENDPOINT_CACHE_PERIOD_IN_MINUTES });
            Ok(json!({ "Endpoints": [endpoint] }))
        }
        "ListBackups" => Ok(json!({ "BackupSummaries": [] })),
        "ListContributorInsights" => Ok(json!({ "ContributorInsightsSummaries": [] })),
        "ListExports" => Ok(json!({ "ExportSummaries": [] })),
        "ListGlobalTables" => Ok(json!({ "GlobalTables": [] })),
        "ListImports" => Ok(json!({ "ImportSummaryList": [] })),
        "DescribeContinuousBackups" => {
            standing(operation, request, table)?;
            Ok(json!({ "ContinuousBackupsDescription": {
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": { "PointInTimeRecoveryStatus": "DISABLED" },
            } }))
        }
        "DescribeContributorInsights" => {
            let table = standing(operation, request, table)?;
            contributor_insights(request, table)
        }
        "DescribeKinesisStreamingDestination" => {
            let table = standing(operation, request, table)?;
            Ok(json!({ "TableName": table.table_name, "KinesisDataStreamDestinations": [] }))
        }
        "GetResourcePolicy" => {
            standing(operation, request, table)?;
            let message = "the resource has no resource-based policy".to_owned();
            Err(Refusal::of_request(
                "com.amazonaws.dynamodb.v20120810#PolicyNotFoundException",
                message,
            ))
        }
        _ => Err(unknown(operation)),
    }
}

fn contributor_insights(request: &Value, table: &TableMetadata) -> Result<Value, Refusal> {
    let (name, status) = (&table.table_name, "DISABLED");
    let Some(index) = request.get("IndexName") else {
        return Ok(json!({ "TableName": name, "ContributorInsightsStatus": status }));
    };
    let indexes = table.gsi_definitions.as_deref().unwrap_or("[]");
    let indexes: Vec<Value> = serde_json::from_str(indexes).map_err(|_| Refusal::internal())?;
    if !indexes.iter().any(|it| it.get("IndexName") == Some(index)) {
        return Err(not_found(format!("Requested resource not found: Index: {index} not found")));
    }
    Ok(json!({ "TableName": name, "IndexName": index, "ContributorInsightsStatus": status }))
}

/// The table that the request names, if it stands.
fn standing<'a>(
    operation: &str,
    request: &Value,
    table: Option<&'a TableMetadata>,
) -> Result<&'a TableMetadata, Refusal> {
    let member = if operation == "GetResourcePolicy" { "ResourceArn" } else { "TableName" };
    let Some(name) = table_name(request) else {
        return Err(Refusal::of_request(
            "com.amazon.coral.validate#ValidationException",
            format!("The parameter '{member}' is required but was not present in the request"),
        ));
    };
    table.ok_or_else(|| match operation {
        "DescribeContinuousBackups" => Refusal::of_request(
            "com.amazonaws.dynamodb.v20120810#TableNotFoundException",
            format!("Table not found: {name}"),
        ),
        _ => not_found(format!("Requested resource not found: Table: {name} not found")),
    })
}

fn not_found(message: String) -> Refusal {
    Refusal::of_request("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", message)
}

/// What an operation gets that nobody here knows.
pub(super) fn unknown(operation: &str) -> Refusal {
    Refusal::of_request(
        "com.amazon.coral.service#UnknownOperationException",
        format!("the embedded DynamoDB does not have the operation {operation}"),
    )
}

#[cfg(test)]
mod tests {
    use super::{answer, table_name};
    use serde_json::{Value, json};

    #[test]
    fn a_table_is_named_by_its_name_or_by_an_arn() {
        let check = |request: Value, expected: Option<&str>| {
            assert_eq!(table_name(&request), expected, "{request}");
        };
        check(json!({"TableName": "things"}), Some("things"));
        check(json!({"TableName": "arn:aws:dynamodb:us-east-1:1:table/things"}), Some("things"));
        check(json!({"ResourceArn": "arn:aws:dynamodb:x:1:table/things/stream/1"}), Some("things"));
        check(json!({"ResourceArn": "arn:aws:s3:::things"}), None);
        check(json!({"TableName": 1}), None);
        check(json!([]), None);
    }

    #[test]
    fn a_request_without_its_table_is_told_what_it_lacks() {
        for (operation, member) in
            [("DescribeContinuousBackups", "TableName"), ("GetResourcePolicy", "ResourceArn")]
        {
            let refusal = answer(operation, &json!({}), None, "").expect_err("no table");
            assert_eq!(refusal.code, "com.amazon.coral.validate#ValidationException");
            assert!(refusal.message.contains(member), "{refusal:?}");
        }
    }
}
