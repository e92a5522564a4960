//! `afterimage conversation list`.

use messages::Messages;
use messages::conversation::groups_of;
use serde_json::json;

use crate::failure::Status;
use crate::item::on_one_line;
use crate::output::{Format, Output};

/// Prints the rows of somebody's conversations, the newest first.
pub async fn run(messages: &Messages, format: Format, handle: &str) -> anyhow::Result<Status> {
    let groups = groups_of(messages, handle).await?;
    let mut output = Output::new();
    match format {
        Format::Table => {
            let rows: Vec<[String; 4]> = groups
                .into_iter()
                .map(|group| {
                    let text = on_one_line(&group.message);
                    [group.message_group_uuid, group.user_handle, group.sk, text]
                })
                .collect();
            output.table(["CONVERSATION", "WITH", "LAST MESSAGE AT", "LAST MESSAGE"], &rows)?;
        }
        Format::Json => {
            for group in groups {
                output.json(&json!({
                    "message_group_uuid": group.message_group_uuid,
                    "user_handle": group.user_handle,
                    "sk": group.sk,
                    "message": group.message,
                }))?;
            }
        }
    }
    output.finish()?;
    Ok(Status::Done)
}
