//! What a view has written was written under one definition, whatever file comes later.

use afterimage::{Outcome, Views};
use afterimage_dynamodb::{Processor, RegisterError};
use afterimage_schema::Table;
use serde_json::{Value, json};

use crate::faults::{Fault, faulty_client};
use crate::world::{ALBUMS, TABLES, World, record, register, words};

const COUNTS: &str = r#"
[[view]]
name = "genre-counts"
kind = "count"
source = "albums"
group_by = "Genre"
remove = "retract"
target = { table = "derived", pk = "albums-by-genre", sk = "{Genre}", count = "count" }
"#;

const ROWS: &str = r#"
[[view]]
name = "message-groups"
kind = "latest"
source = "messages"
where = { pk = { prefix = "MSG#" } }
group_by = { attribute = "pk", strip_prefix = "MSG#" }
order_by = "sk"
copy = ["message", "mood"]
rows = { where = { pk = { prefix = "GRP#" } }, group = "message_group_uuid", index = "message-group-sk-index" }
remove = "skip"
"#;

fn album(number: u64, key: &str, genre: &str) -> Value {
    let keys = json!({"Artist": {"S": key}, "Album": {"S": "Album"}});
    let mut image = keys.clone();
    image["Genre"] = json!({ "S": genre });
    record(&ALBUMS, "MODIFY", number, keys, image)
}

/// A world that maintains `before`, with two albums counted and put.
async fn world_of(before: &str) -> World {
    let mut world = World::new().await;
    world.use_views(before).await;
    for key in ["a", "b"] {
        let item = json!({"Artist": {"S": key}, "Album": {"S": "Album"}, "Genre": {"S": "Rock"}});
        world.put(ALBUMS, item).await;
    }
    world.deliver(&[album(1, "a", "Rock"), album(2, "b", "Rock")]).await;
    world
}

fn views(text: &str) -> Views {
    Views::parse(&[TABLES, text].concat()).expect("views")
}

/// Under a file with one text replaced: registering it is refused with these words and writes nothing, and a
/// processor with that file goes on under the registered definition.
async fn check_changed(before: &str, replaced: &str, by: &str, expected: &str) {
    assert!(before.contains(replaced));
    let world = world_of(before).await;
    let changed = views(&before.replace(replaced, by));
    let (dump, names) = (world.all_derived().await, world.dynamodb.names().clone());
    let refused = register(&world.client, &changed, &names).await;
    let refused = match refused.expect_err("refused") {
        RegisterError::Refused(refused) => refused,
        RegisterError::Registry(error) => panic!("{error}"),
    };
    let said: Vec<_> = refused.iter().map(ToString::to_string).collect();
    assert!(said.iter().any(|it| it.contains(expected)), "{said:?}");
    assert_eq!(world.all_derived().await, dump, "nothing is written");

    let other = Processor::new(world.client.clone(), changed, names).expect("a processor");
    let moved = album(3, "a", "Jazz");
    world.deliver_to(&other, &[moved]).await;
    if before == COUNTS {
        let counts = world.counts("albums-by-genre").await;
        assert_eq!(counts, [("Jazz".to_owned(), 1), ("Rock".to_owned(), 1)].into());
    }
}

#[tokio::test]
async fn a_changed_count_is_refused_and_the_registered_one_goes_on() {
    for (replaced, by, expected) in [
        (
            r#"group_by = "Genre""#,
            "where = { Genre = { prefix = \"R\" } }\ngroup_by = \"Genre\"",
            "key `where.Genre.prefix`: the registry has nothing, the file has \"R\"",
        ),
        ("Genre", "Artist", "key `group_by`: the registry has \"Genre\", the file has \"Artist\""),
        (
            r#"pk = "albums-by-genre""#,
            r#"pk = "albums-per-genre""#,
            "key `target.pk`: the registry has \"albums-by-genre\", the file has \"albums-per-genre\"",
        ),
        (
            r#"sk = "{Genre}""#,
            r#"sk = "g/{Genre}""#,
            "key `target.sk`: the registry has \"{Genre}\", the file has \"g/{Genre}\"",
        ),
        (
            r#"count = "count""#,
            r#"count = "albums""#,
            "key `target.count`: the registry has \"count\", the file has \"albums\"",
        ),
        ("retract", "skip", "key `remove`: the registry has \"retract\", the file has \"skip\""),
        (
            r#"name = "genre-counts""#,
            r#"name = "genres""#,
            "view `genres`, key `target.pk`: view `genre-counts` writes the same items",
        ),
    ] {
        Box::pin(check_changed(COUNTS, replaced, by, expected)).await;
    }
}

#[tokio::test]
async fn a_changed_latest_view_is_refused() {
    for (replaced, by, expected) in [
        (
            r#"copy = ["message", "mood"]"#,
            r#"copy = ["message"]"#,
            "key `copy`: the registry has [\"message\",\"mood\"], the file has [\"message\"]",
        ),
        (
            r#"prefix = "MSG#" }"#,
            r#"prefix = "MSG#a" }"#,
            "key `where.pk.prefix`: the registry has \"MSG#\", the file has \"MSG#a\"",
        ),
        (
            r#"name = "message-groups""#,
            r#"name = "groups""#,
            "view `groups`, key `rows.where`: view `message-groups` writes the same items",
        ),
    ] {
        Box::pin(check_changed(ROWS, replaced, by, expected)).await;
    }
}

#[tokio::test]
async fn a_view_over_a_table_that_holds_items_is_refused() {
    let second = COUNTS.replace("genre-counts", "artist-counts").replace("Genre", "Artist");
    let second = second.replace("albums-by-genre", "albums-by-artist");
    let world = world_of(COUNTS).await;
    let file = views(&[COUNTS, &second].concat());
    let refused = register(&world.client, &file, world.dynamodb.names()).await;
    let said = refused.expect_err("refused").to_string();
    assert!(said.contains("view `artist-counts` is not registered, and its table"), "{said}");

    let mut empty = World::new().await;
    empty.use_views(COUNTS).await;
    register(&empty.client, &file, empty.dynamodb.names()).await.expect("an empty table");
    let report = empty.deliver(&[album(1, "a", "Rock")]).await;
    let views: Vec<_> = report.outcomes().collect();
    assert_eq!(views, [("genre-counts", Outcome::Applied), ("artist-counts", Outcome::Applied)]);
}

#[tokio::test]
async fn a_view_that_the_file_has_lost_is_maintained() {
    let world = world_of(COUNTS).await;
    let names = world.dynamodb.names().clone();
    register(&world.client, &views(ROWS), &names).await.expect("the messages are empty");
    let other = Processor::new(world.client.clone(), views(ROWS), names).expect("a processor");
    assert_eq!(words(&world.deliver_to(&other, &[album(3, "a", "Jazz")]).await), "applied");
    let maintained = other.maintained().await.expect("a registry");
    let said: Vec<_> = maintained.differences.iter().map(ToString::to_string).collect();
    assert_eq!(said, ["view `genre-counts` is registered and not in the file: it is maintained"]);
}

#[tokio::test]
async fn a_stream_of_another_region_is_parked_and_a_change_at_home_counts() {
    let world = world_of(COUNTS).await;
    let mut replica = album(900, "a", "World");
    replica["eventSourceARN"] = json!(
        "arn:aws:dynamodb:eu-west-1:1:table/afterimage-albums/stream/2026-02-01T00:00:00.000"
    );
    let report = world.deliver(&[replica, album(3, "a", "Jazz")]).await;
    assert_eq!(words(&report), "parked applied");
    let reason = world.parked().await.remove(0).1;
    assert!(
        reason.contains("in the Region `eu-west-1`, and the registry is of `us-east-1`"),
        "{reason}"
    );
    let counts = world.counts("albums-by-genre").await;
    assert_eq!(counts, [("Jazz".to_owned(), 1), ("Rock".to_owned(), 1)].into());
}

#[tokio::test]
async fn a_label_of_the_future_is_parked_and_outdoes_nothing() {
    let world = world_of(COUNTS).await;
    let mut future = album(1, "a", "Folk");
    future["eventSourceARN"] = json!(
        "arn:aws:dynamodb:us-east-1:1:table/afterimage-albums/stream/9999-12-31T23:59:59.000"
    );
    let report = world.deliver(&[future, album(3, "a", "Jazz")]).await;
    assert_eq!(words(&report), "parked applied");
    let reason = world.parked().await.remove(0).1;
    assert!(reason.contains("more than a day ahead of the clock"), "{reason}");
}

#[tokio::test]
async fn a_definition_that_is_gone_fails_its_records_until_it_is_back() {
    let world = world_of(COUNTS).await;
    let names = world.dynamodb.names().clone();
    register(&world.client, &views(ROWS), &names).await.expect("the messages are empty");
    let other = Processor::new(world.client.clone(), views(ROWS), names.clone()).expect("one");
    let derived = world.all_derived().await;
    let definition = derived.iter().find(|it| it["definition"]["S"].to_string().contains("genre"));
    let definition = definition.expect("a definition").clone();
    let key = json!({"pk": definition["pk"], "sk": definition["sk"]});
    world.delete(Table::DERIVED, key).await;
    let moved = [album(3, "a", "Jazz")];
    assert_eq!(words(&world.deliver_to(&other, &moved).await), "failed");
    let refused = register(&world.client, &views(ROWS), &names).await.expect_err("refused");
    assert!(refused.to_string().contains("the definition is missing in the registry"), "{refused}");
    world.put(Table::DERIVED, definition).await;
    assert_eq!(words(&world.deliver_to(&other, &moved).await), "applied");
}

#[tokio::test]
async fn what_stands_under_a_target_is_not_added_to() {
    let mut world = World::new().await;
    world.use_views(ROWS).await;
    let standing =
        json!({"pk": {"S": "albums-by-genre"}, "sk": {"S": "Rock"}, "count": {"N": "1"}});
    world.put(Table::DERIVED, standing).await;
    let refused = register(&world.client, &views(COUNTS), world.dynamodb.names()).await;
    let said = refused.expect_err("refused").to_string();
    assert!(said.contains("`derived` already holds items that it would add to"), "{said}");
}

#[tokio::test]
async fn a_registry_whose_responses_are_lost_is_known_as_ones_own() {
    let mut world = World::new().await;
    world.use_views(COUNTS).await;
    world.delete(Table::DERIVED, json!({"pk": {"S": "registry"}, "sk": {"S": "views"}})).await;
    let (client, faults) = faulty_client(&world.client);
    // As many as the client sends under one token.
    faults.push(&[Fault::LoseResponse, Fault::LoseResponse, Fault::LoseResponse]);
    let registered = register(&client, &views(COUNTS), world.dynamodb.names()).await;
    registered.expect("its own write");
    assert_eq!(words(&world.deliver(&[album(1, "a", "Rock")]).await), "applied");
}

#[tokio::test]
async fn two_programs_that_register_at_once_agree() {
    let mut world = World::new().await;
    world.use_views(COUNTS).await;
    world.delete(Table::DERIVED, json!({"pk": {"S": "registry"}, "sk": {"S": "views"}})).await;
    let names = world.dynamodb.names();
    let processor = |text: &str| {
        Processor::new(world.client.clone(), views(text), names.clone()).expect("a processor")
    };
    let changed = COUNTS.replace("retract", "skip");
    let (one, other) = (processor(COUNTS), processor(&changed));
    let (records, further) = ([album(1, "a", "Rock")], [album(2, "b", "Rock")]);
    let (one_report, other_report) =
        tokio::join!(world.deliver_to(&one, &records), world.deliver_to(&other, &further));
    assert_eq!(words(&one_report), "applied");
    assert_eq!(words(&other_report), "applied");
    let of =
        |maintained: afterimage::registry::Maintained| maintained.registry.expect("a registry");
    let (one, other) = tokio::join!(one.maintained(), other.maintained());
    assert_eq!(of(one.expect("one")), of(other.expect("the same")));
    assert_eq!(world.counts("albums-by-genre").await, [("Rock".to_owned(), 2)].into());
}
