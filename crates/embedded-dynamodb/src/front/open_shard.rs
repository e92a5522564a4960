//! `DescribeStream` of a stream whose only shard never closes.

use serde_json::{Map, Value};

/// Where a shard starts whose first record is not known: at the least number that the emulator can give a record.
const LEAST_SEQUENCE_NUMBER: &str = "100000000000000000001";

/// Corrects the emulator's response: an open shard has a `StartingSequenceNumber` and no `EndingSequenceNumber`, with
/// records and without
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_SequenceNumberRange.html>). The start is
/// the same whatever was trimmed. The shard has no children, so a request for these lists none
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_ShardFilter.html>).
pub(super) fn correct(request: &Value, response: &mut Value) {
    let shards = response.pointer_mut("/StreamDescription/Shards").and_then(Value::as_array_mut);
    let Some(shards) = shards else { return };
    if request.pointer("/ShardFilter/Type").is_some_and(|it| it == "CHILD_SHARDS") {
        shards.clear();
    }
    for shard in shards.iter_mut().filter_map(Value::as_object_mut) {
        let start = ("StartingSequenceNumber".to_owned(), LEAST_SEQUENCE_NUMBER.into());
        shard.insert("SequenceNumberRange".to_owned(), Map::from_iter([start]).into());
    }
}
