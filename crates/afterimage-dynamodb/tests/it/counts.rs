//! `count` views: the ledger keeps counts exact under whatever is delivered.

use std::slice::from_ref;

use afterimage_schema::Table;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem, Update};
use serde_json::{Value, json};
use testkit::stream_record::stream_arn;

use crate::world::{ALBUMS, MESSAGES, World, record, to_sdk, words};

/// A record of the album `key`; `genre` null for an album without, `"-"` for a removal.
fn album(number: u64, key: &str, genre: Value) -> Value {
    let keys = json!({"Artist": {"S": key}, "Album": {"S": "Album"}});
    if genre == "-" {
        return record(&ALBUMS, "REMOVE", number, keys, Value::Null);
    }
    let mut image = keys.clone();
    if !genre.is_null() {
        image["Genre"] = genre;
    }
    record(&ALBUMS, "MODIFY", number, keys, image)
}

fn genre(name: &str) -> Value {
    json!({ "S": name })
}

/// Delivers each batch in turn; checks the words of each and the counts in the end.
async fn check(batches: &[(&[Value], &str)], expected: &[(&str, u64)]) -> World {
    let world = World::new().await;
    for (records, outcomes) in batches {
        assert_eq!(words(&world.deliver(records).await), *outcomes, "{records:?}");
    }
    let expected = expected.iter().map(|(group, count)| ((*group).to_owned(), *count)).collect();
    assert_eq!(world.counts("albums-by-genre").await, expected);
    world
}

#[tokio::test]
async fn an_album_is_counted_moved_and_taken_back() {
    check(
        &[(&[album(1, "a", genre("Rock")), album(2, "b", genre("Rock"))], "applied applied")],
        &[("Rock", 2)],
    )
    .await;
    check(
        &[
            (&[album(1, "a", genre("Rock"))], "applied"),
            (&[album(2, "a", genre("Jazz"))], "applied"),
        ],
        &[("Jazz", 1)],
    )
    .await;
    check(
        &[(&[album(1, "a", genre("Rock"))], "applied"), (&[album(2, "a", json!("-"))], "applied")],
        &[],
    )
    .await;
}

#[tokio::test]
async fn a_record_that_is_not_newer_changes_nothing() {
    let first = album(1, "a", genre("Rock"));
    let second = album(2, "a", genre("Jazz"));
    let removal = album(3, "a", json!("-"));
    check(
        &[
            (from_ref(&second), "applied"),
            (from_ref(&first), "duplicate"),
            (from_ref(&second), "duplicate"),
        ],
        &[("Jazz", 1)],
    )
    .await;
    check(
        &[
            (from_ref(&removal), "applied"),
            (&[second.clone(), first.clone()], "duplicate coalesced"),
            (from_ref(&removal), "duplicate"),
        ],
        &[],
    )
    .await;
    check(&[(&[first.clone(), first, second], "coalesced coalesced applied")], &[("Jazz", 1)])
        .await;
}

#[tokio::test]
async fn numbers_are_compared_as_integers_and_labels_before_them() {
    let mut renewed = album(1, "a", genre("Jazz"));
    renewed["eventSourceARN"] = json!(stream_arn("afterimage-albums", "2026-02-01T00:00:00.000"));
    let mut short = album(0, "a", genre("Pop"));
    short["dynamodb"]["SequenceNumber"] = json!("99");
    check(
        &[
            (&[album(100, "a", genre("Rock"))], "applied"),
            (&[short], "duplicate"),
            (&[renewed], "applied"),
            (&[album(200, "a", genre("Blues"))], "duplicate"),
        ],
        &[("Jazz", 1)],
    )
    .await;
}

#[tokio::test]
async fn an_album_without_a_genre_adds_nothing_but_is_remembered() {
    check(
        &[
            (&[album(2, "a", Value::Null)], "applied"),
            (&[album(1, "a", genre("Rock"))], "duplicate"),
        ],
        &[],
    )
    .await;
}

#[tokio::test]
async fn a_genre_of_type_null_is_no_genre() {
    let null = || json!({"NULL": true});
    check(
        &[
            (&[album(1, "a", genre("Rock")), album(2, "b", null())], "applied applied"),
            (&[album(3, "a", null())], "applied"),
            (&[album(4, "b", genre("Jazz"))], "applied"),
        ],
        &[("Jazz", 1)],
    )
    .await;
}

#[tokio::test]
async fn groups_are_equal_when_their_rendered_forms_are() {
    check(
        &[(
            &[
                album(1, "a", json!({"N": "10"})),
                album(2, "b", json!({"N": "1E1"})),
                album(3, "c", json!({"S": "10"})),
                album(4, "d", json!({"BOOL": true})),
                album(5, "e", json!({"S": "AC/DC"})),
            ],
            "applied applied applied applied applied",
        )],
        &[("10", 3), ("AC/DC", 1), ("true", 1)],
    )
    .await;
}

#[tokio::test]
async fn a_group_of_another_type_is_parked_and_contributes_nothing() {
    let world = check(
        &[
            (&[album(1, "a", genre("Rock")), album(2, "b", genre("Rock"))], "applied applied"),
            (&[album(3, "a", json!({"L": []}))], "parked"),
            (&[album(3, "a", json!({"L": []}))], "duplicate"),
            (&[album(4, "c", json!({"S": "x".repeat(1025)}))], "parked"),
            (&[album(5, "d", json!({"S": ""}))], "parked"),
        ],
        &[("Rock", 1)],
    )
    .await;
    let reasons: Vec<_> = world.parked().await.into_iter().map(|(_, reason)| reason).collect();
    assert_eq!(
        reasons,
        [
            "the group attribute `Genre` is a list; a group is a string, a number or a boolean",
            "the group in `Genre` gives a key of 1025 bytes; 1 to 1024 are possible",
            "the group in `Genre` gives a key of 0 bytes; 1 to 1024 are possible",
        ]
    );
    let mended = world.deliver(&[album(6, "a", genre("Jazz"))]).await;
    assert_eq!(words(&mended), "applied");
    assert_eq!(world.counts("albums-by-genre").await.get("Jazz"), Some(&1));
}

#[tokio::test]
async fn under_skip_a_removal_changes_nothing() {
    let mut world = World::new().await;
    world
        .use_views(
            r#"
        [[view]]
        name = "genres-ever"
        kind = "count"
        source = "albums"
        group_by = "Genre"
        remove = "skip"
        target = { table = "derived", pk = "ever", sk = "genre {Genre}", count = "count" }
        "#,
        )
        .await;
    let records =
        [album(1, "a", genre("Rock")), album(2, "a", json!("-")), album(3, "b", genre("Rock"))];
    assert_eq!(words(&world.deliver(&records).await), "applied skipped applied");
    assert_eq!(world.counts("ever").await, [("genre Rock".to_owned(), 2)].into());
}

#[tokio::test]
async fn what_its_keys_exclude_leaves_no_entry() {
    let mut world = World::new().await;
    world
        .use_views(
            r#"
        [[view]]
        name = "messages-by-user"
        kind = "count"
        source = "messages"
        where = { pk = { prefix = "MSG#" } }
        group_by = "user"
        remove = "retract"
        target = { table = "derived", pk = "messages-by-user", sk = "{user}", count = "count" }
        "#,
        )
        .await;
    let item = |number, pk: &str| {
        let keys = json!({"pk": {"S": pk}, "sk": {"S": "t1"}});
        let mut image = keys.clone();
        image["user"] = genre("ada");
        record(&MESSAGES, "INSERT", number, keys, image)
    };
    let report = world.deliver(&[item(1, "MSG#g"), item(2, "GRP#ada")]).await;
    assert_eq!(words(&report), "applied skipped");
    assert_eq!(world.dump(Table::DERIVED).await.len(), 2);
}

/// Whether a transaction that adds to the text of this count is cancelled with a reason for the count.
async fn names_what_cannot_be_updated(world: &World, key: &Value) -> bool {
    let update = Update::builder()
        .table_name(world.name(&Table::DERIVED))
        .set_key(Some(to_sdk(key)))
        .update_expression("ADD #count :one")
        .expression_attribute_names("#count", "count")
        .expression_attribute_values(":one", AttributeValue::N("1".to_owned()))
        .build()
        .expect("an update");
    let write = world.client.transact_write_items();
    let write = write.transact_items(TransactWriteItem::builder().update(update).build());
    let refused = write.send().await.expect_err("a text takes no addition");
    refused
        .as_service_error()
        .is_some_and(TransactWriteItemsError::is_transaction_canceled_exception)
}

#[tokio::test]
async fn a_broken_count_fails_its_own_records_and_no_others() {
    let world = World::new().await;
    let broken = json!({
        "pk": {"S": "albums-by-genre"}, "sk": {"S": "Rock"}, "count": {"S": "many"},
    });
    world.put(Table::DERIVED, broken).await;
    let key = json!({"pk": {"S": "albums-by-genre"}, "sk": {"S": "Rock"}});
    if !names_what_cannot_be_updated(&world, &key).await {
        let lacking = "a cancellation reason for an operand of the wrong type";
        world.dynamodb.leave_out("a broken count fails its own records only", lacking);
        return;
    }
    let records = [
        album(1, "a", genre("Rock")),
        album(2, "b", genre("Jazz")),
        album(3, "c", genre("Rock")),
        album(4, "d", Value::Null),
    ];
    assert_eq!(words(&world.deliver(&records).await), "failed applied failed applied");
    world.delete(Table::DERIVED, key).await;
    assert_eq!(words(&world.deliver(&records).await), "applied duplicate applied duplicate");
}

#[tokio::test]
async fn a_thousand_new_albums_of_ten_genres_cost_about_two_units_each() {
    let world = World::new().await;
    let records: Vec<_> = (0..1000)
        .map(|it| album(it, &format!("artist {it}"), genre(&format!("genre {}", it % 10))))
        .collect();
    let report = world.deliver(&records).await;
    assert!(report.records.iter().all(|it| !it.is_failed()));
    // 1,000 ledger entries and 20 touches of counts, since a transaction holds 99 and a count.
    if world.has_cost(&report, "1,000 new albums cost about 2 units each") {
        assert!(report.consumption.write_units <= 2.1 * 1000.0, "{:?}", report.consumption);
    }
    assert_eq!(world.counts("albums-by-genre").await.values().sum::<u64>(), 1000);
}
