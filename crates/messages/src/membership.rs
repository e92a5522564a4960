//! Who is in a group.

use aws_sdk_dynamodb::types::{AttributeValue, Select};
use http_api::{ApiError, StoreError, store_error};

use crate::{Messages, key};

/// The longest id of a group, in bytes: less than half of a partition key's 2048
/// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>).
pub(crate) const GROUP_ID_BYTES_MAX: usize = 1000;

/// Whether a group can have this id. New groups get UUIDs; other writers of the table may have chosen
/// others, which are kept as given, and membership decides.
pub(crate) fn is_group_id(text: &str) -> bool {
    (1..=GROUP_ID_BYTES_MAX).contains(&text.len())
}

/// Refuses a caller who has no row of the group, whether there is such a group or not.
pub(crate) async fn require(
    messages: &Messages,
    user_uuid: &str,
    group_uuid: &str,
) -> Result<(), ApiError> {
    // A row may move while its partition is read, and a query does not see a partition at one moment:
    // read upwards, a row that moves up is met again; one that moves down is met by reading downwards.
    // Downwards first: the groups that are read and written are mostly the newest.
    for upwards in [false, true] {
        if has_row(messages, user_uuid, group_uuid, upwards).await? {
            return Ok(());
        }
    }
    Err(ApiError::Forbidden {
        code: "not_a_member",
        message: "you are no member of this group, or there is no such group".to_owned(),
    })
}

async fn has_row(
    messages: &Messages,
    user_uuid: &str,
    group_uuid: &str,
    upwards: bool,
) -> Result<bool, StoreError> {
    let mut start = None;
    loop {
        let found = messages
            .client
            .query()
            .table_name(messages.table())
            .key_condition_expression("pk = :rows")
            .filter_expression("message_group_uuid = :group")
            .expression_attribute_values(":rows", AttributeValue::S(key::row_partition(user_uuid)))
            .expression_attribute_values(":group", AttributeValue::S(group_uuid.to_owned()))
            .select(Select::Count)
            .consistent_read(true)
            .scan_index_forward(upwards)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| store_error("Query of group rows", error))?;
        if found.count() > 0 {
            return Ok(true);
        }
        start = found.last_evaluated_key;
        if start.is_none() {
            return Ok(false);
        }
    }
}
