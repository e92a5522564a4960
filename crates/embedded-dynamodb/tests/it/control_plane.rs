//! What clients ask of a table when they bind a model to it.

use afterimage_schema::{TableDefinition, TableNames};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, ContinuousBackupsStatus, ContributorInsightsStatus, GlobalSecondaryIndex,
    KeySchemaElement, KeyType, PointInTimeRecoveryStatus, Projection, ProjectionType,
    ProvisionedThroughput, ScalarAttributeType, TableStatus, TableWarmThroughputDescription, Tag,
    TimeToLiveStatus,
};
use embedded_dynamodb::Emulator;

const TABLE: &str = "afterimage-derived";

async fn emulator() -> Emulator {
    let emulator = Emulator::in_memory().await.expect("started");
    let tables = [TableDefinition::derived()];
    let names = TableNames::defaults(&tables).expect("names");
    emulator.create_tables(&tables, &names).await.expect("created");
    emulator
}

fn check_refusal<T: std::fmt::Debug, E: ProvideErrorMetadata + std::fmt::Debug>(
    result: Result<T, SdkError<E>>,
    code: &str,
    part: &str,
) {
    let error = result.expect_err(code);
    assert_eq!(error.code(), Some(code), "{error:?}");
    assert!(error.message().is_some_and(|it| it.contains(part)), "{error:?}");
}

#[tokio::test]
async fn an_ordinary_table_has_no_backups_insights_streams_of_kinesis_or_policies() {
    let emulator = emulator().await;
    let client = emulator.client();
    let backups = client.describe_continuous_backups().table_name(TABLE).send().await;
    let backups = backups.expect("described").continuous_backups_description.expect("backups");
    assert_eq!(backups.continuous_backups_status(), &ContinuousBackupsStatus::Enabled);
    let recovery = backups.point_in_time_recovery_description().expect("recovery");
    let recovery = recovery.point_in_time_recovery_status();
    assert_eq!(recovery, Some(&PointInTimeRecoveryStatus::Disabled));
    let insights = client.describe_contributor_insights().table_name(TABLE).send().await;
    let insights = insights.expect("described");
    assert_eq!(insights.table_name(), Some(TABLE));
    let status = insights.contributor_insights_status();
    assert_eq!(status, Some(&ContributorInsightsStatus::Disabled));
    let kinesis = client.describe_kinesis_streaming_destination().table_name(TABLE).send().await;
    assert_eq!(kinesis.expect("described").kinesis_data_stream_destinations(), []);
    let policy = client.get_resource_policy().resource_arn(arn(&client).await).send().await;
    check_refusal(policy, "PolicyNotFoundException", "no resource-based policy");
    let ttl = client.describe_time_to_live().table_name(TABLE).send().await.expect("described");
    let ttl = ttl.time_to_live_description.expect("a description");
    assert_eq!(ttl.time_to_live_status(), Some(&TimeToLiveStatus::Disabled));
    assert_eq!(client.list_backups().send().await.expect("listed").backup_summaries(), []);
    assert_eq!(client.list_exports().send().await.expect("listed").export_summaries(), []);
    assert_eq!(client.list_imports().send().await.expect("listed").import_summary_list(), []);
    assert_eq!(client.list_global_tables().send().await.expect("listed").global_tables(), []);
    let insights = client.list_contributor_insights().send().await.expect("listed");
    assert_eq!(insights.contributor_insights_summaries(), []);
}

#[tokio::test]
async fn what_is_absent_is_told_as_aws_does() {
    let emulator = emulator().await;
    let client = emulator.client();
    let backups = client.describe_continuous_backups().table_name("nothing").send().await;
    check_refusal(backups, "TableNotFoundException", "nothing");
    let insights = client.describe_contributor_insights().table_name("nothing").send().await;
    check_refusal(insights, "ResourceNotFoundException", "nothing");
    let insights = client.describe_contributor_insights().table_name(TABLE).index_name("no-index");
    check_refusal(insights.send().await, "ResourceNotFoundException", "no-index");
    let kinesis = client.describe_kinesis_streaming_destination().table_name("nothing");
    check_refusal(kinesis.send().await, "ResourceNotFoundException", "nothing");
}

#[tokio::test]
async fn limits_are_those_of_an_account_and_the_endpoint_is_this_one() {
    let emulator = emulator().await;
    let client = emulator.client();
    let limits = client.describe_limits().send().await.expect("limits");
    assert_eq!(limits.account_max_read_capacity_units(), Some(80_000));
    assert_eq!(limits.table_max_write_capacity_units(), Some(40_000));
    let endpoints = client.describe_endpoints().send().await.expect("endpoints");
    let [endpoint] = endpoints.endpoints() else { panic!("{endpoints:?}") };
    assert_eq!(format!("http://{}", endpoint.address()), emulator.endpoint_url());
    assert_eq!(endpoint.cache_period_in_minutes(), 1440);
}

#[tokio::test]
async fn tags_are_kept() {
    let emulator = emulator().await;
    let client = emulator.client();
    let arn = arn(&client).await;
    let tags = async || {
        let listed = client.list_tags_of_resource().resource_arn(&arn).send().await;
        listed.expect("listed").tags.unwrap_or_default()
    };
    assert_eq!(tags().await, []);
    let tag = Tag::builder().key("team").value("music").build().expect("a tag");
    client.tag_resource().resource_arn(&arn).tags(tag.clone()).send().await.expect("tagged");
    assert_eq!(tags().await, [tag]);
    client.untag_resource().resource_arn(&arn).tag_keys("team").send().await.expect("untagged");
    assert_eq!(tags().await, []);
}

#[tokio::test]
async fn tables_and_indexes_have_warm_throughput() {
    let emulator = emulator().await;
    let client = emulator.client();
    let described = client.describe_table().table_name(TABLE).send().await.expect("described");
    let on_demand = described.table.expect("a table");
    check_warm(on_demand.warm_throughput(), 12_000, 4_000);
    let units = ProvisionedThroughput::builder().read_capacity_units(5).write_capacity_units(6);
    let units = units.build().expect("units");
    let key = KeySchemaElement::builder().attribute_name("id").key_type(KeyType::Hash);
    let key = key.build().expect("a key");
    let attribute = AttributeDefinition::builder().attribute_name("id");
    let attribute = attribute.attribute_type(ScalarAttributeType::S).build();
    let all = Projection::builder().projection_type(ProjectionType::All).build();
    let index = GlobalSecondaryIndex::builder().index_name("by-id").key_schema(key.clone());
    let index = index.projection(all).provisioned_throughput(units.clone()).build();
    let created = client
        .create_table()
        .table_name("provisioned")
        .key_schema(key)
        .attribute_definitions(attribute.expect("an attribute"))
        .provisioned_throughput(units)
        .global_secondary_indexes(index.expect("an index"));
    let created = created.send().await.expect("created").table_description.expect("a table");
    check_warm(created.warm_throughput(), 5, 6);
    let [index] = created.global_secondary_indexes() else { panic!("{created:?}") };
    let warm = index.warm_throughput().expect("warm throughput");
    assert_eq!((warm.read_units_per_second(), warm.write_units_per_second()), (Some(5), Some(6)));
    let insights = client.describe_contributor_insights().table_name("provisioned");
    let insights = insights.index_name("by-id").send().await.expect("described");
    assert_eq!(insights.index_name(), Some("by-id"));
}

#[tokio::test]
async fn an_operation_that_is_not_there_is_named() {
    let emulator = emulator().await;
    let client = emulator.client();
    let backup = client.create_backup().table_name(TABLE).backup_name("one").send().await;
    check_refusal(backup, "UnknownOperationException", "CreateBackup");
    // What the emulator itself refuses stays as it is.
    let table = client.describe_table().table_name("nothing").send().await;
    check_refusal(table, "ResourceNotFoundException", "nothing");
}

fn check_warm(warm: Option<&TableWarmThroughputDescription>, read: i64, write: i64) {
    let warm = warm.expect("warm throughput");
    assert_eq!(warm.read_units_per_second(), Some(read));
    assert_eq!(warm.write_units_per_second(), Some(write));
    assert_eq!(warm.status(), Some(&TableStatus::Active));
}

async fn arn(client: &Client) -> String {
    let described = client.describe_table().table_name(TABLE).send().await.expect("described");
    described.table.expect("a table").table_arn.expect("an ARN")
}
