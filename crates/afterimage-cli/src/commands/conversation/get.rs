//! `afterimage conversation get`.

use messages::Messages;
use messages::conversation::{Latest, latest};
use serde_json::{Value, json};

use crate::failure::{Failure, Status};
use crate::item::on_one_line;
use crate::output::{Format, Output};

/// How many messages are shown.
const MESSAGES_SHOWN: u16 = 20;

/// Prints the newest messages in reading order, a line each, and what reading them cost.
pub async fn run(messages: &Messages, format: Format, group: &str) -> anyhow::Result<Status> {
    let latest = latest(messages, group, MESSAGES_SHOWN).await?;
    if latest.lines.is_empty() {
        let sentence = format!("there is no message in the conversation {group}");
        let next = "find its uuid with `afterimage conversation list HANDLE`";
        return Err(Failure::new(sentence, next).into());
    }
    let mut output = Output::new();
    match format {
        Format::Table => {
            for line in &latest.lines {
                let text = on_one_line(&line.message);
                output.line(&format!("{} {} {text}", line.user_handle, line.created_at))?;
            }
            if let Some(units) = latest.consumed_capacity_units {
                output.line(&format!("consumed capacity: {units} read units"))?;
            }
        }
        Format::Json => output.json(&document(&latest))?,
    }
    output.finish()?;
    Ok(Status::Done)
}

fn document(latest: &Latest) -> Value {
    let lines = latest.lines.iter().map(|line| {
        json!({
            "user_handle": line.user_handle,
            "created_at": line.created_at,
            "message": line.message,
        })
    });
    json!({
        "messages": lines.collect::<Vec<_>>(),
        "consumed_capacity_units": latest.consumed_capacity_units,
    })
}
