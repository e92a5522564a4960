//! Items, keys and events at their limits.

use afterimage::attribute_value::{item_byte_count, item_from_json};
use afterimage::limits::ITEM_BYTES_MAX;
use serde_json::{Value, json};

use super::{album, deliver_texts, is_embedded, message, row};
use crate::world::{ALBUMS, MESSAGES, World, record, words};

/// The item with a note that brings it to exactly 400 KB.
fn filled(mut item: Value) -> Value {
    item["note"] = json!({"S": ""});
    let byte_count = item_byte_count(&item_from_json("item", item.clone()).expect("an item"));
    item["note"] = json!({"S": "n".repeat(ITEM_BYTES_MAX - byte_count)});
    item
}

#[tokio::test]
async fn items_of_400_kb_are_counted_and_followed() {
    let mut world = World::new().await;
    if !is_embedded(&world, "items of 400 KB", "their last 4 KB") {
        return;
    }
    let album = json!({"Artist": {"S": "a"}, "Album": {"S": "b"}, "Genre": {"S": "Rock"}});
    world.put(ALBUMS, filled(album)).await;
    let message = json!({"pk": {"S": "MSG#g"}, "sk": {"S": "t1"}, "message": {"S": "short"}});
    world.put(MESSAGES, filled(message)).await;
    world.put(MESSAGES, row("ada", "g", "t0")).await;
    world.put(MESSAGES, filled(row("lin", "g", "t0"))).await;
    world.drain().await;
    assert_eq!(world.counts("albums-by-genre").await, [("Rock".to_owned(), 1)].into());
    world.assert_row("GRP#ada", "t1", "short").await;
    // "short" is longer than "old": the row would pass 400 KB, and stays.
    world.assert_row("GRP#lin", "t0", "old").await;
    let reasons: Vec<_> = world.parked().await.into_iter().map(|(_, reason)| reason).collect();
    let expected = "the row cannot follow: it would have 409602 bytes; an item holds 409600";
    assert!(!reasons.is_empty() && reasons.iter().all(|it| it == expected), "{reasons:?}");
}

#[tokio::test]
async fn a_message_that_no_head_holds_is_parked() {
    let world = World::new().await;
    world.put(MESSAGES, row("ada", "g", "t0")).await;
    let large = message(1, "g", "t2", &"m".repeat(200 * 1024));
    let report = world.deliver(&[large, message(2, "g", "t1", "small")]).await;
    assert_eq!(words(&report), "parked applied");
    world.assert_row("GRP#ada", "t1", "small").await;
}

#[tokio::test]
async fn one_owner_with_more_rows_than_a_head_holds_is_parked() {
    // Without a message, all rows of an owner stay, and each has a key of 1 KB.
    let world = World::new().await;
    if !is_embedded(&world, "an owner with many rows", "speed") {
        return;
    }
    let hints: Vec<_> = (0..600)
        .map(|number| row("ada", "g", &format!("{number:03}{}", "k".repeat(1021))))
        .collect();
    for row in &hints {
        world.put(MESSAGES, row.clone()).await;
    }
    world.put(MESSAGES, row("lin", "g", "t0")).await;
    let hint = |number, row: &Value| {
        let keys = json!({"pk": row["pk"], "sk": row["sk"]});
        record(&MESSAGES, "INSERT", number, keys, row.clone())
    };
    let mut records: Vec<_> = (1..).zip(&hints).map(|(number, row)| hint(number, row)).collect();
    records.push(hint(900, &row("lin", "g", "t0")));
    let report = world.deliver(&records).await;
    assert_eq!(words(&report), [["parked"; 600].join(" ").as_str(), "applied"].join(" "));
    assert_eq!(
        world.parked().await[0].1,
        "the owner has more rows of the group than a head can register"
    );
    // One at a time they are registered, as long as there is room.
    let report = world.deliver(&records[..60]).await;
    assert_eq!(words(&report), ["applied"; 60].join(" "));
    assert_eq!(words(&world.deliver(&records[60..120]).await), ["parked"; 60].join(" "));
    let report = world.deliver(&[message(901, "g", "t1", "new")]).await;
    assert_eq!(words(&report), "applied");
    world.assert_row("GRP#lin", "t1", "new").await;
}

#[tokio::test]
async fn keys_at_their_limit_are_counted_and_followed() {
    let mut world = World::new().await;
    let (partition, sort) = ("p".repeat(2048), "s".repeat(1024));
    let album = json!({"Artist": {"S": partition}, "Album": {"S": sort}, "Genre": {"S": sort}});
    world.put(ALBUMS, album).await;
    let group = "g".repeat(1024);
    let owner = "o".repeat(2048 - "GRP#".len());
    world.put(MESSAGES, row(&owner, &group, "t0")).await;
    let keys = json!({"pk": {"S": format!("MSG#{group}")}, "sk": {"S": sort}});
    world.put(MESSAGES, keys).await;
    world
        .put(MESSAGES, json!({"pk": {"S": format!("MSG#{}", "g".repeat(2044))}, "sk": {"S": "t"}}))
        .await;
    world.drain().await;
    assert_eq!(world.counts("albums-by-genre").await, [(sort.clone(), 1)].into());
    world.assert_row(&format!("GRP#{owner}"), &sort, "-").await;
    let reasons: Vec<_> = world.parked().await.into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(reasons, ["the group has 2044 bytes; 1 to 1024 are possible"]);
}

#[tokio::test]
async fn a_row_whose_only_free_key_is_too_long_is_parked() {
    let world = World::new().await;
    let time = "t".repeat(1024);
    world.put(MESSAGES, row("ada", "other", &time)).await;
    world.put(MESSAGES, row("ada", "g", "t0")).await;
    world.put(MESSAGES, row("lin", "g", "t0")).await;
    assert_eq!(words(&world.deliver(&[message(1, "g", &time, "new")]).await), "applied");
    world.assert_row("GRP#ada", "t0", "old").await;
    world.assert_row("GRP#lin", &time, "new").await;
    let reasons: Vec<_> = world.parked().await.into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(
        reasons,
        ["the row cannot follow: the key that it belongs at is taken, and the other is too long"]
    );
}

#[tokio::test]
async fn empty_texts_are_values_but_no_groups() {
    let world = World::new().await;
    world.put(MESSAGES, row("ada", "g", "t0")).await;
    let empty = json!({"Genre": {"S": "Rock"}, "note": {"S": ""}});
    let records = [
        album(1, "a", &empty),
        album(2, "b", &json!({"Genre": {"S": ""}})),
        message(3, "g", "t1", ""),
        message(4, "", "t1", "to nobody"),
    ];
    assert_eq!(words(&world.deliver(&records).await), "applied parked applied parked");
    world.assert_row("GRP#ada", "t1", "").await;
    let mut reasons: Vec<_> = world.parked().await.into_iter().map(|(_, reason)| reason).collect();
    reasons.sort();
    assert_eq!(
        reasons,
        [
            "the group has 0 bytes; 1 to 1024 are possible",
            "the group in `Genre` gives a key of 0 bytes; 1 to 1024 are possible",
        ]
    );
}

#[tokio::test]
async fn an_event_of_6_mb_is_applied_and_the_bad_half_of_it_parked() {
    let world = World::new().await;
    let large = |number: u64| {
        // Text that does not compress: digits of a sequence that does not repeat.
        let mut random = fastrand::Rng::with_seed(number);
        let note: String = std::iter::repeat_with(|| random.alphanumeric()).take(390_000).collect();
        let mut record = album(
            number,
            &format!("a{number}"),
            &json!({"Genre": {"S": "Rock"}, "note": {"S": note}}),
        );
        if number.is_multiple_of(2) {
            record["dynamodb"]["NewImage"]["Genre"] = json!({"S": 5});
        }
        record
    };
    let event = world.event(&(1..=15).map(large).collect::<Vec<_>>());
    let texts: Vec<_> = event.records.iter().map(|it| it.get().to_owned()).collect();
    assert!(texts.iter().map(String::len).sum::<usize>() > 5_800_000);
    let report = deliver_texts(&world, &texts).await;
    let expected: Vec<_> = (1..=15_u64)
        .map(|number| if number.is_multiple_of(2) { "parked" } else { "applied" })
        .collect();
    assert_eq!(words(&report), expected.join(" "));
    assert_eq!(world.counts("albums-by-genre").await, [("Rock".to_owned(), 8)].into());
}

#[tokio::test]
async fn a_thousand_bad_records_in_one_event_are_all_parked() {
    let world = World::new().await;
    if !is_embedded(&world, "a thousand parked records", "speed") {
        return;
    }
    let bad = |number| album(number, &format!("a{number}"), &json!({"Genre": {"L": []}}));
    let report = world.deliver(&(1..=1000).map(bad).collect::<Vec<_>>()).await;
    assert_eq!(words(&report), ["parked"; 1000].join(" "));
    assert_eq!(world.parked().await.len(), 1000);
}
