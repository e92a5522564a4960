//! What somebody who deploys for the first time relies on.

use serde_json::json;

use super::super::text;
use super::{of_type, section};

#[test]
fn every_parameter_has_a_default_and_every_value_a_description() {
    for (name, parameter) in section("Parameters") {
        assert!(!parameter["Default"].is_null(), "{name} would have to be given");
        assert!(parameter["Description"].is_string(), "{name}");
    }
    for (name, output) in section("Outputs") {
        assert!(output["Description"].is_string(), "{name}");
    }
    assert_eq!(section("Parameters")["Architecture"]["Default"], "x86_64");
}

#[test]
fn data_outlives_the_stack_and_mistakes() {
    for (name, table) in of_type("AWS::DynamoDB::Table") {
        let recovery = &table["Properties"]["PointInTimeRecoverySpecification"];
        assert_eq!(recovery, &json!({ "PointInTimeRecoveryEnabled": true }), "{name}");
        let protected = json!(["TablesAreProtected", true, false]);
        assert_eq!(table["Properties"]["DeletionProtectionEnabled"], protected, "{name}");
        assert_eq!(table["DeletionPolicy"], "RetainExceptOnCreate", "{name}");
        assert_eq!(table["UpdateReplacePolicy"], "Retain", "{name}");
    }
}

#[test]
fn every_function_logs_to_a_group_that_forgets() {
    let groups = of_type("AWS::Logs::LogGroup");
    for (name, group) in &groups {
        assert_eq!(group["Properties"]["RetentionInDays"], "LogRetentionDays", "{name}");
    }
    let default = section("Globals")["Function"]["LoggingConfig"]["LogGroup"].clone();
    for (name, function) in of_type("AWS::Serverless::Function") {
        let own = &function["Properties"]["LoggingConfig"]["LogGroup"];
        let group = if own.is_null() { &default } else { own };
        assert!(group.as_str().is_some_and(|it| groups.contains_key(it)), "{name}");
    }
}

#[test]
fn what_is_made_by_a_parameter_is_made_by_nothing_else() {
    for (name, resource) in section("Resources") {
        let kind = resource["Type"].as_str().expect("a type");
        let expected = match kind.split("::").nth(1) {
            Some("S3" | "CloudFront") => "HasSite",
            Some("EC2") if name == "DynamoDbEndpoint" => "NeedsEndpoint",
            Some("EC2") => "IsInVpc",
            Some("IAM") => "IsInNoVpc",
            _ => continue,
        };
        assert_eq!(resource["Condition"], expected, "{name}");
    }
    let function = &section("Globals")["Function"];
    assert_eq!(function["VpcConfig"][0], "IsInVpc");
    assert_eq!(function["VpcConfig"][2], "AWS::NoValue");
    // SAM's role for a VPC is cut to what each function's own policy says wherever there is none.
    assert_eq!(
        function["PermissionsBoundary"],
        json!(["IsInVpc", "AWS::NoValue", "NoNetworkInterfaces"])
    );
}

#[test]
fn only_the_distribution_reads_the_site() {
    let bucket = &section("Resources")["SiteBucket"]["Properties"];
    let access = bucket["PublicAccessBlockConfiguration"].as_object().expect("settings");
    assert_eq!(access.len(), 4);
    assert!(access.values().all(|blocked| blocked == true), "{access:?}");
    let policy = &section("Resources")["SiteBucketPolicy"]["Properties"]["PolicyDocument"];
    for statement in policy["Statement"].as_array().expect("statements") {
        if statement["Effect"] == "Allow" {
            assert_eq!(statement["Principal"], json!({ "Service": "cloudfront.amazonaws.com" }));
            assert_eq!(statement["Action"], "s3:GetObject");
            let source = &statement["Condition"]["StringEquals"]["AWS:SourceArn"];
            assert!(source.as_str().is_some_and(|it| it.contains("${SiteDistribution}")));
        }
    }
    let distribution =
        &section("Resources")["SiteDistribution"]["Properties"]["DistributionConfig"];
    assert_eq!(distribution["Origins"][0]["OriginAccessControlId"], "SiteAccess.Id");
    assert_ne!(distribution["DefaultCacheBehavior"]["ViewerProtocolPolicy"], "allow-all");
}

#[test]
fn samconfig_is_for_any_account_and_machine() {
    let config = text("samconfig.toml");
    for fixed in ["region =", "profile =", "s3_bucket =", "role_arn", "/home", "/Users", "C:"] {
        assert!(!config.contains(fixed), "samconfig.toml fixes {fixed}");
    }
    let digits = config.split(|it: char| !it.is_ascii_digit()).any(|run| run.len() >= 12);
    assert!(!digits, "samconfig.toml holds what looks like an account's number");
}
