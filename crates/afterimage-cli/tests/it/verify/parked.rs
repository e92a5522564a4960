//! What parked records explain, and what they do not.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use super::{Item, small_world, text};
use crate::world::{World, album, message, put_row, record};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_parked_record_explains_is_no_drift() {
    let world = small_world().await;
    let views = include_str!("../../../../../views.toml");
    let narrow = views.replace("may_gain", "max = 2, may_gain");
    put_row(&world, "sam", &[]).await;
    let joined = record(
        "messages",
        5,
        json!({"pk": {"S": "GRP#sam"}, "sk": {"S": "t0"}}),
        json!({"message_group_uuid": {"S": "g"}}),
    );
    assert_eq!(world.deliver(Some(&narrow), &[joined]), "parked");
    // An album whose newest record was parked by a definition that is not registered any more.
    park_by_year(&world, 6).await;
    put_album(&world, Some("Rock")).await;
    let (code, report) = world.verify(None);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(
        (report["views"][0]["parked"].clone(), report["views"][1]["parked"].clone()),
        (1.into(), 1.into())
    );
}

/// Parks a record of album C, in Rock, by a definition of the view that cannot use it.
async fn park_by_year(world: &World, number: u64) {
    let views = include_str!("../../../../../views.toml");
    let by_year = views.replace("group_by = \"Genre\"", "group_by = \"Year\"");
    let by_year = by_year.replace("{Genre}", "{Year}");
    world.forget_registry().await;
    let mut parked = album(number, "C", "Genre", json!({"S": "Rock"}));
    parked["dynamodb"]["NewImage"]["Year"] = json!({"L": []});
    assert_eq!(world.deliver(Some(&by_year), &[parked]), "parked");
    world.forget_registry().await;
    assert_eq!(world.deliver(None, &[album(2, "B", "Genre", json!({"S": "Rock"}))]), "duplicate");
}

/// Puts album C into the table, without a record.
async fn put_album(world: &World, genre: Option<&str>) {
    let texts =
        [("Artist", "AC/DC"), ("Album", "C")].into_iter().chain(genre.map(|it| ("Genre", it)));
    let mut item: Item = texts.map(|(name, it)| (name.to_owned(), text(it))).collect();
    item.insert("Year".to_owned(), AttributeValue::L(Vec::new()));
    world.put("afterimage-albums", &item).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_album_explains_itself_as_it_stands_and_only_while_it_is_there() {
    let world = small_world().await;
    park_by_year(&world, 6).await;
    // A newer change, whose record is lost.
    put_album(&world, Some("Jazz")).await;
    let name = "ledger entry of AC/DC / C";
    let not = "not not counted: parked";
    world.check_drift(&[
        "albums-by-genre / Jazz: 1, not 0",
        &format!("{name}: counted in Jazz, {not} by a record of another state of the item"),
    ]);
    put_album(&world, None).await;
    world.check_drift(&[]);
    put_album(&world, Some("Rock")).await;
    world.check_drift(&[]);
    for id in world.ids() {
        world.parked(&["drop", &id, "--yes"]);
    }
    world.check_drift(&[
        "albums-by-genre / Rock: 3, not 2",
        &format!("{name}: counted in Rock, {not}, and no usable record of it is there"),
    ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_record_without_an_image_leaves_its_album_undecided() {
    let world = small_world().await;
    let mut without = album(6, "C", "Genre", json!({"S": "Rock"}));
    without["dynamodb"].as_object_mut().expect("a record").remove("NewImage");
    assert_eq!(world.deliver(None, &[without]), "parked");
    put_album(&world, Some("Rock")).await;
    let (code, report) = world.verify(None);
    assert_eq!(code, Some(3), "{report}");
    let undecided = "ledger entry of AC/DC / C: its parked record holds no image";
    assert_eq!(report["views"][0]["undecided"], json!([undecided]));
    assert_eq!(report["views"][0]["drift"], json!([]));
    let table = world.run(None, &["verify", "genre-counts", "--patience", "0"]);
    assert_eq!(table.code, Some(3));
    let lines: Vec<_> = table.stdout.lines().take(2).collect();
    let first =
        "genre-counts: no drift found, and not all could be decided; 3 source items, 1 groups";
    assert_eq!(lines, [first, &format!("  undecided: {undecided}")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parked_message_explains_nothing_but_itself() {
    let world = small_world().await;
    let large = message(5, "t5", &"x".repeat(210_000));
    world.write_parked(large).await;
    let parked_count = |world: &World| {
        let (code, report) = world.verify(None);
        assert_eq!(code, Some(0), "{report}");
        report["views"][1]["parked"].clone()
    };
    assert_eq!(parked_count(&world), json!(1));
    // The record of a newer message is lost.
    let newer: Item = [("pk", "MSG#g"), ("sk", "t6"), ("message", "lost")]
        .map(|(name, it)| (name.to_owned(), text(it)))
        .into();
    world.put("afterimage-messages", &newer).await;
    world.check_drift(&["head of g: newest t6, not newest t1"]);
    world.delete("afterimage-messages", &newer).await;
    assert_eq!(parked_count(&world), json!(1));
    for id in world.ids() {
        world.parked(&["drop", &id, "--yes"]);
    }
    world.check_drift(&["head of g: newest t5, not newest t1: t5 is too large to be copied"]);
}
