//! `latest` views: every row of a group stands once, at the newest message's key.

use afterimage::attribute_value::item_to_json;
use afterimage_schema::Table;
use aws_sdk_dynamodb::types::AttributeValue as SdkValue;
use serde_json::{Value, json};

use crate::world::{MESSAGES, World, record, words};

fn message_keys(group: &str, time: &str) -> Value {
    json!({"pk": {"S": format!("MSG#{group}")}, "sk": {"S": time}})
}

fn message_item(group: &str, time: &str, text: &str) -> Value {
    let mut item = message_keys(group, time);
    item["message"] = json!({ "S": text });
    item
}

fn message(number: u64, group: &str, time: &str, text: &str) -> Value {
    record(&MESSAGES, "INSERT", number, message_keys(group, time), message_item(group, time, text))
}

fn row_item(owner: &str, group: &str, sort: &str, text: &str) -> Value {
    json!({
        "pk": {"S": format!("GRP#{owner}")},
        "sk": {"S": sort},
        "message_group_uuid": {"S": group},
        "message": {"S": text},
        "note": {"S": format!("{owner}'s own")},
    })
}

fn row_hint(number: u64, item: &Value) -> Value {
    let keys = json!({"pk": item["pk"], "sk": item["sk"]});
    record(&MESSAGES, "MODIFY", number, keys, item.clone())
}

/// The rows that stand: `owner sort message note`, one a line.
async fn rows(world: &World) -> Vec<String> {
    let text = |item: &Value, name: &str| item[name]["S"].as_str().unwrap_or("-").to_owned();
    let items = world.dump(MESSAGES).await;
    let items = items.iter().map(item_to_json);
    let rows = items.filter(|item| text(item, "pk").starts_with("GRP#"));
    let mut lines: Vec<_> = rows
        .map(|item| ["pk", "sk", "message", "note"].map(|name| text(&item, name)).join(" "))
        .collect();
    lines.sort();
    lines
}

/// A world whose table has these rows, and records of none of them yet.
async fn world_with(items: &[Value]) -> World {
    let world = World::new().await;
    for item in items {
        world.put(MESSAGES, item.clone()).await;
    }
    world
}

#[tokio::test]
async fn rows_move_to_the_newest_message_and_keep_the_rest() {
    let world =
        world_with(&[row_item("ada", "g", "t1", "old"), row_item("lin", "g", "t1", "old")]).await;
    let report = world.deliver(&[message(2, "g", "t2", "new")]).await;
    assert_eq!(words(&report), "applied");
    assert_eq!(rows(&world).await, ["GRP#ada t2 new ada's own", "GRP#lin t2 new lin's own"]);
    assert_eq!(report.consumption.transaction_count, 1);
}

#[tokio::test]
async fn an_older_message_is_stale_and_a_repeated_one_a_duplicate() {
    let world = world_with(&[row_item("ada", "g", "t1", "old")]).await;
    assert_eq!(words(&world.deliver(&[message(9, "g", "t5", "newest")]).await), "applied");
    let before = world.dump(Table::DERIVED).await;
    assert_eq!(words(&world.deliver(&[message(8, "g", "t3", "older")]).await), "stale");
    assert_eq!(words(&world.deliver(&[message(9, "g", "t5", "newest")]).await), "duplicate");
    assert_eq!(
        words(&world.deliver(&[message(7, "g", "t5", "before the edit")]).await),
        "duplicate"
    );
    assert_eq!(world.dump(Table::DERIVED).await, before);
    assert_eq!(rows(&world).await, ["GRP#ada t5 newest ada's own"]);
}

#[tokio::test]
async fn an_edit_of_the_newest_message_updates_rows_in_place() {
    let world = world_with(&[row_item("ada", "g", "t1", "one")]).await;
    world.deliver(&[message(1, "g", "t1", "one")]).await;
    assert_eq!(words(&world.deliver(&[message(2, "g", "t1", "two")]).await), "applied");
    assert_eq!(rows(&world).await, ["GRP#ada t1 two ada's own"]);
    let removed = record(&MESSAGES, "REMOVE", 3, message_keys("g", "t1"), Value::Null);
    assert_eq!(words(&world.deliver(&[removed]).await), "skipped");
    assert_eq!(rows(&world).await, ["GRP#ada t1 two ada's own"]);
}

#[tokio::test]
async fn an_own_echo_writes_nothing() {
    let mut world = world_with(&[row_item("ada", "g", "t1", "old")]).await;
    world.put(MESSAGES, message_item("g", "t2", "new")).await;
    world.drain().await;
    let derived = world.dump(Table::DERIVED).await;
    let echo = row_hint(99, &row_item("ada", "g", "t2", "new"));
    let report = world.deliver(&[echo]).await;
    assert_eq!(words(&report), "skipped");
    assert_eq!(report.consumption.transaction_count, 0);
    assert_eq!(world.dump(Table::DERIVED).await, derived);
}

#[tokio::test]
async fn a_member_who_joins_later_is_brought_to_the_newest_from_either_side() {
    let mut world = world_with(&[message_item("g", "t5", "newest")]).await;
    world.drain().await;
    world.put(MESSAGES, row_item("ada", "g", "t1", "behind")).await;
    world.put(MESSAGES, row_item("lin", "g", "t9", "ahead")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t5 newest ada's own", "GRP#lin t5 newest lin's own"]);
    world.put(MESSAGES, message_item("g", "t6", "next")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t6 next ada's own", "GRP#lin t6 next lin's own"]);
}

#[tokio::test]
async fn rows_of_a_group_without_messages_stay_as_put_and_are_remembered() {
    let mut world = world_with(&[row_item("ada", "g", "t1", "hello?")]).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t1 hello? ada's own"]);
    world.put(MESSAGES, message_item("g", "t2", "hello!")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t2 hello! ada's own"]);
}

#[tokio::test]
async fn two_groups_of_one_owner_can_share_a_timestamp() {
    let mut world =
        world_with(&[row_item("ada", "g1", "t1", "-"), row_item("ada", "g2", "t2", "-")]).await;
    world.put(MESSAGES, message_item("g1", "t9", "one")).await;
    world.put(MESSAGES, message_item("g2", "t9", "two")).await;
    world.drain().await;
    let standing = rows(&world).await;
    assert_eq!(standing.len(), 2, "{standing:?}");
    assert!(standing.iter().any(|row| row.starts_with("GRP#ada t9 ")), "{standing:?}");
    assert!(standing.iter().any(|row| row.starts_with("GRP#ada t9#g")), "{standing:?}");
    world.assert_exact().await;
    world.put(MESSAGES, message_item("g2", "ta", "three")).await;
    world.drain().await;
    world.assert_exact().await;
}

#[tokio::test]
async fn a_member_who_left_is_not_recreated() {
    let mut world =
        world_with(&[row_item("ada", "g", "t1", "-"), row_item("lin", "g", "t1", "-")]).await;
    world.put(MESSAGES, message_item("g", "t2", "one")).await;
    world.drain().await;
    world.delete(MESSAGES, json!({"pk": {"S": "GRP#lin"}, "sk": {"S": "t2"}})).await;
    world.put(MESSAGES, message_item("g", "t3", "two")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t3 two ada's own"]);
    world.put(MESSAGES, row_item("lin", "g", "t1", "back")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t3 two ada's own", "GRP#lin t3 two lin's own"]);
}

#[tokio::test]
async fn what_the_application_edits_stays_and_what_rows_copy_is_restored() {
    let mut world = world_with(&[row_item("ada", "g", "t1", "-")]).await;
    world.put(MESSAGES, message_item("g", "t2", "one")).await;
    world.drain().await;
    let edited = world
        .client
        .update_item()
        .table_name(world.name(&MESSAGES))
        .key("pk", SdkValue::S("GRP#ada".to_owned()))
        .key("sk", SdkValue::S("t2".to_owned()))
        .update_expression("SET note = :note, message = :message, pinned = :pinned")
        .expression_attribute_values(":note", SdkValue::S("edited".to_owned()))
        .expression_attribute_values(":message", SdkValue::S("overwritten".to_owned()))
        .expression_attribute_values(":pinned", SdkValue::Bool(true));
    edited.send().await.expect("an edit");
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t2 one edited"]);
    world.put(MESSAGES, message_item("g", "t3", "two")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t3 two edited"]);
    let items = world.dump(MESSAGES).await;
    let row = items.iter().find(|item| item.contains_key("pinned")).expect("pinned is kept");
    assert_eq!(row["sk"], afterimage::AttributeValue::string("t3"));
}

#[tokio::test]
async fn two_rows_of_one_owner_are_merged() {
    let mut first = row_item("ada", "g", "t1", "-");
    first["only_here"] = json!({"S": "kept"});
    let mut world = world_with(&[first, row_item("ada", "g", "t3", "-")]).await;
    world.put(MESSAGES, message_item("g", "t9", "new")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t9 new ada's own"]);
    let items = world.dump(MESSAGES).await;
    assert!(items.iter().any(|item| item.contains_key("only_here")));
}

#[tokio::test]
async fn older_rows_and_messages_are_adopted() {
    // Everything was there before the stream's first record that is delivered.
    let mut world = world_with(&[
        message_item("g", "t1", "one"),
        message_item("g", "t7", "newest"),
        row_item("ada", "g", "t1", "one"),
        row_item("lin", "g", "t3", "wrong"),
    ])
    .await;
    world.records(MESSAGES).await;
    let report = world.deliver(&[message(5, "g", "t2", "late and old")]).await;
    assert_eq!(words(&report), "stale");
    assert_eq!(rows(&world).await, ["GRP#ada t7 newest ada's own", "GRP#lin t7 newest lin's own"]);
    // The newest was found in the table: a record of it takes the table's state, not its own.
    assert_eq!(words(&world.deliver(&[message(6, "g", "t7", "before an edit")]).await), "applied");
    assert_eq!(rows(&world).await[0], "GRP#ada t7 newest ada's own");
}

#[tokio::test]
async fn a_large_group_moves_in_several_transactions() {
    let owners: Vec<_> = (0..120).map(|it| format!("owner-{it:03}")).collect();
    let items: Vec<_> = owners.iter().map(|owner| row_item(owner, "g", "t1", "-")).collect();
    let mut world = world_with(&items).await;
    world.put(MESSAGES, message_item("g", "t2", "one")).await;
    world.drain().await;
    world.assert_exact().await;
    assert_eq!(rows(&world).await.len(), 120);
    let report = world.deliver(&[message(1_000_000, "g", "t3", "two")]).await;
    assert_eq!(words(&report), "applied");
    assert_eq!(report.consumption.transaction_count, 3);
    assert!(rows(&world).await.iter().all(|row| row.contains(" t3 two ")));
}

#[tokio::test]
async fn a_row_beyond_the_limit_is_parked_alone() {
    let mut world = World::new().await;
    world.use_settings(&at_most_two_rows()).await;
    world.put(MESSAGES, message_item("g", "t5", "newest")).await;
    world.drain().await;
    for owner in ["ada", "lin", "sam"] {
        world.put(MESSAGES, row_item(owner, "g", "t1", "-")).await;
        world.drain().await;
    }
    assert_eq!(
        rows(&world).await,
        ["GRP#ada t5 newest ada's own", "GRP#lin t5 newest lin's own", "GRP#sam t1 - sam's own"]
    );
    let parked = world.parked().await;
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].1, "the group has 2 rows, the most that the view allows");
}

fn at_most_two_rows() -> String {
    include_str!("../../../../views.toml").replace("may_gain", "max = 2, may_gain")
}

#[tokio::test]
async fn a_batch_with_a_row_too_many_registers_the_others_only() {
    let mut world = World::new().await;
    world.use_settings(&at_most_two_rows()).await;
    for owner in ["ada", "lin", "sam"] {
        world.put(MESSAGES, row_item(owner, "g", "t1", "-")).await;
    }
    let records = world.records(MESSAGES).await;
    assert_eq!(words(&world.deliver(&records).await), "applied applied parked");
    world.put(MESSAGES, message_item("g", "t5", "newest")).await;
    world.drain().await;
    assert_eq!(
        rows(&world).await,
        ["GRP#ada t5 newest ada's own", "GRP#lin t5 newest lin's own", "GRP#sam t1 - sam's own"]
    );
}

#[tokio::test]
async fn older_rows_too_many_are_parked_together() {
    let items: Vec<_> =
        ["ada", "lin", "sam", "tom"].iter().map(|it| row_item(it, "g", "t1", "-")).collect();
    let mut world = world_with(&items).await;
    world.use_settings(&at_most_two_rows()).await;
    assert_eq!(words(&world.deliver(&[message(9, "g", "t5", "newest")]).await), "applied");
    let moved = rows(&world).await.iter().filter(|row| row.contains(" t5 newest ")).count();
    assert_eq!(moved, 2);
    let parked = world.parked().await;
    assert_eq!(parked.len(), 1);
    assert_eq!(parked[0].1, "the group has 2 rows, the most that the view allows");
}

#[tokio::test]
async fn whoever_takes_the_place_of_a_member_who_left_follows() {
    let mut world =
        world_with(&[row_item("ada", "g", "t1", "-"), row_item("lin", "g", "t1", "-")]).await;
    world.use_settings(&at_most_two_rows()).await;
    world.put(MESSAGES, message_item("g", "t5", "newest")).await;
    world.drain().await;
    world.delete(MESSAGES, json!({"pk": {"S": "GRP#lin"}, "sk": {"S": "t5"}})).await;
    world.put(MESSAGES, row_item("sam", "g", "t1", "-")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t5 newest ada's own", "GRP#sam t5 newest sam's own"]);
    assert_eq!(world.parked().await, []);
}

#[tokio::test]
async fn a_row_put_anew_many_times_before_the_first_message_can_move() {
    let mut world = World::new().await;
    for round in 0..30 {
        let sort = format!("t1-{round:02}");
        world.put(MESSAGES, row_item("ada", "g", &sort, "-")).await;
        world.drain().await;
        if round < 29 {
            let key = json!({"pk": {"S": "GRP#ada"}, "sk": {"S": sort}});
            world.delete(MESSAGES, key).await;
        }
    }
    world.put(MESSAGES, message_item("g", "t5", "newest")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t5 newest ada's own"]);
    assert_eq!(world.parked().await, []);
}

#[tokio::test]
async fn a_message_too_large_for_a_head_is_never_the_newest() {
    let large = "x".repeat(300 * 1024);
    let mut world = world_with(&[
        row_item("ada", "g", "t0", "-"),
        message_item("g", "t1", "one"),
        message_item("g", "t2", &large),
    ])
    .await;
    let records = world.records(MESSAGES).await;
    assert_eq!(words(&world.deliver(&records).await), "applied applied parked");
    assert_eq!(rows(&world).await, ["GRP#ada t1 one ada's own"]);
    // The same where the table was asked before the record came.
    let mut later =
        world_with(&[row_item("ada", "g", "t0", "-"), message_item("g", "t2", &large)]).await;
    later.put(MESSAGES, message_item("g", "t1", "one")).await;
    later.drain().await;
    assert_eq!(rows(&later).await, ["GRP#ada t1 one ada's own"]);
}

#[tokio::test]
async fn a_row_that_cannot_hold_the_message_is_parked_alone() {
    let mut large = row_item("ada", "g", "t1", "-");
    large["ballast"] = json!({"S": "x".repeat(300 * 1024)});
    let mut world = world_with(&[large, row_item("lin", "g", "t1", "-")]).await;
    let text = "y".repeat(150 * 1024);
    world.put(MESSAGES, message_item("g", "t2", &text)).await;
    world.drain().await;
    let standing = rows(&world).await;
    assert!(standing[0].starts_with("GRP#ada t1 -"), "{}", &standing[0][..20]);
    assert!(standing[1].starts_with("GRP#lin t2 yyy"), "{}", &standing[1][..20]);
    assert_eq!(world.parked().await.len(), 1);
    world.put(MESSAGES, message_item("g", "t3", "short")).await;
    world.drain().await;
    assert_eq!(rows(&world).await, ["GRP#ada t3 short ada's own", "GRP#lin t3 short lin's own"]);
}

#[tokio::test]
async fn a_row_with_an_unusable_group_and_a_message_too_large_are_parked() {
    let world = World::new().await;
    let mut odd = row_item("ada", "g", "t1", "-");
    odd["message_group_uuid"] = json!({"N": "5"});
    let large = message(2, "g", "t1", &"x".repeat(300 * 1024));
    let report = world.deliver(&[row_hint(1, &odd), large]).await;
    assert_eq!(words(&report), "parked parked");
    assert_eq!(world.parked().await.len(), 2);
}

#[tokio::test]
async fn items_of_no_interest_are_skipped() {
    let world = World::new().await;
    let keys = json!({"pk": {"S": "USER#1"}, "sk": {"S": "PROFILE"}});
    let profile = record(&MESSAGES, "INSERT", 1, keys.clone(), keys);
    let gone = row_hint(2, &row_item("ada", "g", "t1", "deleted since"));
    let removed = record(&MESSAGES, "REMOVE", 3, message_keys("g", "t1"), Value::Null);
    let mut no_group = row_item("lin", "g", "t1", "of no group");
    no_group["message_group_uuid"] = json!({"NULL": true});
    let records = [profile, gone, removed, row_hint(4, &no_group)];
    assert_eq!(words(&world.deliver(&records).await), "skipped skipped skipped skipped");
    assert_eq!(world.dump(Table::DERIVED).await, []);
}

#[tokio::test]
async fn five_hundred_messages_of_one_group_cost_one_move() {
    let world =
        world_with(&[row_item("ada", "g", "t0", "-"), row_item("lin", "g", "t0", "-")]).await;
    let records: Vec<_> =
        (0..500).map(|it| message(it, "g", &format!("t1-{it:03}"), "text")).collect();
    let report = world.deliver(&records).await;
    assert_eq!(report.consumption.transaction_count, 1);
    if world.has_cost(&report, "a move of 500 messages costs less than 25 units") {
        assert!(report.consumption.write_units < 25.0, "{:?}", report.consumption);
    }
    assert!(rows(&world).await.iter().all(|row| row.contains(" t1-499 text ")));
}

/// The causes of what is parked, with how often each was met.
async fn times(world: &World) -> Vec<(String, u64)> {
    let derived = world.dump(Table::DERIVED).await;
    let parked = derived.iter().filter_map(|item| {
        let cause = item.get("cause")?.as_string()?;
        Some((cause.to_owned(), item.get("times")?.as_whole()?))
    });
    parked.collect()
}

#[tokio::test]
async fn rows_that_cannot_follow_are_parked_once_however_many_records_meet_them() {
    let mut large = row_item("ada", "g", "t0", "-");
    large["ballast"] = json!({"S": "x".repeat(300 * 1024)});
    let mut world = world_with(&[large, row_item("lin", "g", "t0", "-")]).await;
    world.use_settings(&at_most_two_rows()).await;
    world.put(MESSAGES, row_item("sam", "g", "t0", "-")).await;
    for minute in 1..5 {
        let text = "y".repeat(150 * 1024);
        world.put(MESSAGES, message_item("g", &format!("t{minute}"), &text)).await;
        let mut edited = row_item("sam", "g", "t0", "-");
        edited["note"] = json!({ "S": format!("edit {minute}") });
        world.put(MESSAGES, edited).await;
        world.drain().await;
    }
    assert_eq!(world.parked().await.len(), 2);
    let times = times(&world).await;
    let causes: Vec<_> = times.iter().map(|(cause, _)| cause.as_str()).collect();
    assert_eq!(causes, ["beyond", "unwritable"]);
    assert!(times.iter().all(|(_, times)| *times > 1), "{times:?}");
}
