//! Races: what others do between what a transaction rests on and its commit is never lost.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Value, json};

use crate::faults::Faults;
use crate::world::{ALBUMS, MESSAGES, World, record, words};

fn message(number: u64, time: &str) -> Value {
    let keys = json!({"pk": {"S": "MSG#g"}, "sk": {"S": time}});
    let mut image = keys.clone();
    image["message"] = json!({ "S": time });
    record(&MESSAGES, "INSERT", number, keys, image)
}

/// A world with one row at `t1`, whose group has a head already.
async fn world() -> (World, Faults) {
    let (world, faults) = World::with_faults().await;
    let row = json!({
        "pk": {"S": "GRP#ada"}, "sk": {"S": "t1"},
        "message_group_uuid": {"S": "g"}, "message": {"S": "t1"}, "note": {"S": "as put"},
    });
    world.put(MESSAGES, row).await;
    assert_eq!(words(&world.deliver(&[message(1, "t1")]).await), "applied");
    (world, faults)
}

/// The application changes the row at `t1` in the moment before it is moved; the row that stands in
/// the end must have these attributes.
async fn check_edit(update: &'static str, expected: Value) {
    let (world, faults) = world().await;
    let (client, table) = (world.client.clone(), world.name(&MESSAGES).to_owned());
    faults.before_next_write(async move {
        let mut edit = client
            .update_item()
            .table_name(table)
            .key("pk", AttributeValue::S("GRP#ada".to_owned()))
            .key("sk", AttributeValue::S("t1".to_owned()))
            .condition_expression("attribute_exists(pk)")
            .update_expression(update);
        if update.contains(":value") {
            edit =
                edit.expression_attribute_values(":value", AttributeValue::S("edited".to_owned()));
        }
        edit.send().await.expect("an edit");
    });
    assert_eq!(words(&world.deliver(&[message(2, "t2")]).await), "applied");
    let rows = world.dump(MESSAGES).await;
    assert_eq!(rows.len(), 1, "{rows:?}");
    assert_eq!(afterimage::attribute_value::item_to_json(&rows[0]), expected);
}

#[tokio::test]
async fn an_edit_of_a_moving_row_is_kept() {
    let row = |note: Value| {
        let mut row = json!({
            "pk": {"S": "GRP#ada"}, "sk": {"S": "t2"},
            "message_group_uuid": {"S": "g"}, "message": {"S": "t2"},
        });
        row.as_object_mut().expect("an item").extend(note.as_object().expect("an item").clone());
        row
    };
    Box::pin(check_edit("SET note = :value", row(json!({"note": {"S": "edited"}})))).await;
    Box::pin(check_edit("REMOVE note", row(json!({})))).await;
    // An attribute that is declared in `rows.may_gain`.
    let pinned = json!({"note": {"S": "as put"}, "pinned": {"S": "edited"}});
    Box::pin(check_edit("SET pinned = :value", row(pinned))).await;
}

#[tokio::test]
async fn a_member_who_leaves_while_the_row_moves_is_not_brought_back() {
    let (world, faults) = world().await;
    let (client, table) = (world.client.clone(), world.name(&MESSAGES).to_owned());
    faults.before_next_write(async move {
        let delete = client
            .delete_item()
            .table_name(table)
            .key("pk", AttributeValue::S("GRP#ada".to_owned()))
            .key("sk", AttributeValue::S("t1".to_owned()));
        delete.send().await.expect("a deletion");
    });
    assert_eq!(words(&world.deliver(&[message(2, "t2")]).await), "applied");
    assert_eq!(world.dump(MESSAGES).await, []);
}

#[tokio::test]
async fn of_two_processors_neither_undoes_the_other() {
    let (world, faults) = world().await;
    let (other, derived) = (world.processor.clone(), world.client.clone());
    let event = world.event(&[message(3, "t3")]);
    faults.before_next_write(async move {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        assert_eq!(words(&other.process(&event, deadline).await), "applied");
    });
    assert_eq!(words(&world.deliver(&[message(2, "t2")]).await), "stale");
    let row = derived
        .get_item()
        .table_name(world.name(&MESSAGES))
        .key("pk", AttributeValue::S("GRP#ada".to_owned()))
        .key("sk", AttributeValue::S("t3".to_owned()));
    assert!(row.send().await.expect("an answer").item.is_some());
}

#[tokio::test]
async fn a_newer_record_that_is_faster_prevails_in_the_ledger() {
    let (world, faults) = World::with_faults().await;
    let album = |number, genre: &str| {
        let keys = json!({"Artist": {"S": "AC/DC"}, "Album": {"S": "Powerage"}});
        let mut image = keys.clone();
        image["Genre"] = json!({ "S": genre });
        record(&ALBUMS, "MODIFY", number, keys, image)
    };
    let other = world.processor.clone();
    let event = world.event(&[album(2, "Rock")]);
    faults.before_next_write(async move {
        let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
        assert_eq!(words(&other.process(&event, deadline).await), "applied");
    });
    assert_eq!(words(&world.deliver(&[album(1, "Jazz")]).await), "duplicate");
    assert_eq!(world.counts("albums-by-genre").await, [("Rock".to_owned(), 1)].into());
}
