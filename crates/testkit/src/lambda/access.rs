//! What a request to DynamoDB needs permission for.

use std::fmt;

use afterimage_schema::{Table, TableNames};
use serde_json::Value;

use crate::dynamodb::product_tables;

/// One permission that one item of a request needs
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazondynamodb.html>).
/// Those of a transaction are the permissions of its single actions
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis-iam.html>).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Access {
    /// The action, such as `dynamodb:PutItem`.
    pub action: String,
    /// The table.
    pub table: Table,
    /// The index that is read, if one is.
    pub index: Option<String>,
    /// The value of the partition key; a scan has none.
    pub leading_key: Option<String>,
}

impl fmt::Display for Access {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} on {}", self.action, self.table)?;
        if let Some(index) = &self.index {
            write!(formatter, "/index/{index}")?;
        }
        self.leading_key.as_ref().map_or(Ok(()), |key| write!(formatter, " of {key}"))
    }
}

/// The permissions that a request needs.
///
/// # Panics
/// For an operation or a request that is not known here.
pub(crate) fn accesses(names: &TableNames, operation: &str, body: &Value) -> Vec<Access> {
    let whole = |action: &str| one(names, action, body);
    match operation {
        "GetItem" | "DeleteItem" | "UpdateItem" | "PutItem" | "Query" | "Scan" => {
            vec![whole(operation)]
        }
        "BatchGetItem" => object(&body["RequestItems"])
            .flat_map(|(table, wanted)| array(&wanted["Keys"]).map(move |key| (table, key)))
            .map(|(table, key)| access(names, operation, table, Some(key)))
            .collect(),
        "TransactGetItems" => {
            array(&body["TransactItems"]).map(|item| one(names, "GetItem", &item["Get"])).collect()
        }
        "TransactWriteItems" => array(&body["TransactItems"])
            .flat_map(object)
            .map(|(kind, write)| {
                let action = match kind.as_str() {
                    "ConditionCheck" => "ConditionCheckItem",
                    "Delete" => "DeleteItem",
                    "Put" => "PutItem",
                    "Update" => "UpdateItem",
                    other => panic!("a transaction's action `{other}` is not known"),
                };
                one(names, action, write)
            })
            .collect(),
        other => panic!("the operation `{other}` is not known: say which permission it needs"),
    }
}

/// The permission of a request, or of a part of one, that names one table and at most one item.
fn one(names: &TableNames, action: &str, request: &Value) -> Access {
    let table = request["TableName"].as_str().expect("a table name");
    let item = [&request["Key"], &request["Item"]].into_iter().find(|it| it.is_object());
    let mut access = access(names, action, table, item);
    access.index = request["IndexName"].as_str().map(str::to_owned);
    if action == "Query" {
        access.leading_key = Some(queried(request));
    }
    access
}

fn access(names: &TableNames, action: &str, table_name: &str, item: Option<&Value>) -> Access {
    let table = names.table_named(table_name).unwrap_or_else(|| panic!("no table {table_name}"));
    let tables = product_tables();
    let definition = tables.iter().find(|it| it.table == *table).expect("a definition");
    let partition_key = definition.partition_key.as_str();
    Access {
        action: format!("dynamodb:{action}"),
        table: table.clone(),
        index: None,
        leading_key: item.map(|item| text(&item[partition_key])),
    }
}

/// The partition that a query reads: its condition begins with `NAME = :value`.
fn queried(request: &Value) -> String {
    let condition = request["KeyConditionExpression"].as_str().expect("a key condition");
    let mut words = condition.split_whitespace();
    let (_, equals, value) = (words.next(), words.next(), words.next().expect("a value"));
    assert_eq!(equals, Some("="), "{condition}");
    text(&request["ExpressionAttributeValues"][value])
}

fn text(value: &Value) -> String {
    value["S"].as_str().unwrap_or_else(|| panic!("{value} is no string key")).to_owned()
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().expect("a list").iter()
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}
