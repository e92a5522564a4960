//! Hostile input, through the real processor and tables: what each gets, and that it never takes its
//! neighbours with it. The table in `ARCHITECTURE.md` says the same in words.

mod answers;
mod events;
mod groups;
mod records;
mod sizes;

use afterimage_dynamodb::{BatchReport, StreamEvent};
use serde_json::{Value, json};

use crate::world::{ALBUMS, MESSAGES, World, record};

fn album(number: u64, artist: &str, attributes: &Value) -> Value {
    let keys = json!({"Artist": {"S": artist}, "Album": {"S": "Album"}});
    let mut image = keys.clone();
    for (name, value) in attributes.as_object().expect("attributes") {
        image[name] = value.clone();
    }
    record(&ALBUMS, "MODIFY", number, keys, image)
}

fn message(number: u64, group: &str, time: &str, text: &str) -> Value {
    let keys = json!({"pk": {"S": format!("MSG#{group}")}, "sk": {"S": time}});
    let mut image = keys.clone();
    image["message"] = json!({ "S": text });
    record(&MESSAGES, "INSERT", number, keys, image)
}

fn row(owner: &str, group: &str, sort: &str) -> Value {
    json!({
        "pk": {"S": format!("GRP#{owner}")}, "sk": {"S": sort},
        "message_group_uuid": {"S": group}, "message": {"S": "old"},
    })
}

/// Whether the engine is the embedded one; tells what is left out where another lacks this.
fn is_embedded(world: &World, checks: &str, lacking: &str) -> bool {
    if !world.dynamodb.is_embedded() {
        world.dynamodb.leave_out(checks, lacking);
    }
    world.dynamodb.is_embedded()
}

/// Delivers the texts of records as they are, JSON or not quite.
async fn deliver_texts(world: &World, texts: &[String]) -> BatchReport {
    let text = format!("{{\"Records\":[{}]}}", texts.join(","));
    let event: StreamEvent = serde_json::from_str(&text).expect("an event");
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    world.processor.process(&event, deadline).await
}
