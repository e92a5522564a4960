//! What descriptions of tables lack: the warm throughput of the table and of each global secondary index.

use serde_json::{Map, Value, json};

/// What a table or index on demand has from the start
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/warm-throughput-scenarios.html>).
const ON_DEMAND_READ_UNITS_PER_SECOND: u64 = 12_000;
const ON_DEMAND_WRITE_UNITS_PER_SECOND: u64 = 4_000;

/// Adds it to the description in the response of an operation on a table. Provisioned capacity is warm
/// as a whole.
pub(super) fn correct(response: &mut Value) {
    let Some(response) = response.as_object_mut() else { return };
    for member in ["Table", "TableDescription"] {
        let Some(table) = response.get_mut(member).and_then(Value::as_object_mut) else { continue };
        add(table);
        let indexes = table.get_mut("GlobalSecondaryIndexes").and_then(Value::as_array_mut);
        for index in indexes.into_iter().flatten().filter_map(Value::as_object_mut) {
            add(index);
        }
    }
}

fn add(described: &mut Map<String, Value>) {
    let provisioned = |member: &str, on_demand: u64| {
        let units = described.get("ProvisionedThroughput").and_then(|it| it.get(member));
        units.and_then(Value::as_u64).filter(|it| *it > 0).unwrap_or(on_demand)
    };
    let read = provisioned("ReadCapacityUnits", ON_DEMAND_READ_UNITS_PER_SECOND);
    let write = provisioned("WriteCapacityUnits", ON_DEMAND_WRITE_UNITS_PER_SECOND);
    described.entry("WarmThroughput").or_insert_with(
        || json!({ "ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write, "Status": "ACTIVE" }),
    );
}
