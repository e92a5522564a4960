//! One operation on the emulator, JSON in and JSON out.

use dynoxide::{Database, DynoxideError};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// An answer that is an error.
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Carries out an operation of the DynamoDB or DynamoDB Streams API.
pub(super) fn dispatch(
    database: &Database,
    operation: &str,
    body: &str,
) -> Result<String, Refusal> {
    match operation {
        "BatchGetItem" => answer(body, |it| database.batch_get_item(it)),
        "CreateTable" => answer(body, |it| database.create_table(it)),
        "DeleteItem" => answer(body, |it| database.delete_item(it)),
        "DescribeStream" => answer(body, |it| database.describe_stream(it)),
        "DescribeTable" => answer(body, |it| database.describe_table(it)),
        "GetItem" => answer(body, |it| database.get_item(it)),
        "GetRecords" => answer(body, |it| database.get_records(it)),
        "GetShardIterator" => answer(body, |it| database.get_shard_iterator(it)),
        "PutItem" => answer(body, |it| database.put_item(it)),
        "Query" => answer(body, |it| database.query(it)),
        "Scan" => answer(body, |it| database.scan(it)),
        "TransactGetItems" => answer(body, |it| database.transact_get_items(it)),
        "TransactWriteItems" => answer(body, |it| database.transact_write_items(it)),
        "UpdateItem" => answer(body, |it| database.update_item(it)),
        "UpdateTimeToLive" => answer(body, |it| database.update_time_to_live(it)),
        other => Err(refusal(&DynoxideError::ValidationException(format!(
            "the simulation does not know the operation {other}"
        )))),
    }
}

fn answer<Request: DeserializeOwned, Response: Serialize>(
    body: &str,
    act: impl FnOnce(Request) -> dynoxide::Result<Response>,
) -> Result<String, Refusal> {
    let request = serde_json::from_str(body)
        .map_err(|error| refusal(&DynoxideError::SerializationException(error.to_string())))?;
    let response = act(request).map_err(|error| refusal(&error))?;
    serde_json::to_string(&response)
        .map_err(|error| refusal(&DynoxideError::InternalServerError(error.to_string())))
}

fn refusal(error: &DynoxideError) -> Refusal {
    Refusal { status: error.status_code(), body: error.to_json() }
}
