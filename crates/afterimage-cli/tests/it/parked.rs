//! `parked`: records that could not be applied, and what becomes of them.

use std::time::Duration;

use afterimage::{Outcome, Views};
use afterimage_dynamodb::Processor;
use afterimage_schema::TableNames;
use expect_test::expect;
use serde_json::{Value, json};

use crate::program::check;
use crate::world::{World, album, message, messages_view, put_row, record};

fn genre_list(number: u64, name: &str) -> Value {
    let mut record = album(number, name, "Genre", json!({"L": [{"S": "Rock"}]}));
    record["dynamodb"]["NewImage"]["Style"] = json!({"S": "Hard"});
    record
}

/// The shipped view, mended to count by another attribute.
const BY_STYLE: &str = r#"
[[view]]
name     = "genre-counts"
kind     = "count"
source   = "albums"
group_by = "Style"
remove   = "retract"
target   = { table = "derived", pk = "albums-by-genre", sk = "{Style}", count = "count" }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn parked_records_are_counted_listed_shown_and_dropped() {
    let world = World::new().await;
    let endpoint = world.endpoint();
    check(
        &endpoint,
        &["parked", "list", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 0
            nothing is parked
        "#]],
    );
    let mut undecodable = album(3, "C", "Genre", json!({"S": "Rock"}));
    undecodable["eventName"] = json!("UPSERT");
    let records = [genre_list(1, "A"), genre_list(2, "B"), undecodable];
    assert_eq!(world.deliver(None, &records), "parked parked parked");

    let run = world.run(None, &["parked", "list", "--limit", "2"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    assert_eq!(
        lines[..3],
        [
            "COUNT  VIEW          REASON",
            "1      -             `eventName` is none of INSERT, MODIFY and REMOVE",
            "2      genre-counts  the group attribute `Genre` is a list; a group is a string, a number or a boolean",
        ]
    );
    assert_eq!(lines[3], "");
    assert!(lines[6].contains("afterimage-albums  AC/DC / A"), "{}", run.stdout);
    assert_eq!(lines[7], "2 of 3 are listed: raise --limit");

    let ids = world.ids();
    let number = |number: u64| format!("2026-01-01T00:00:00.000#{number:021}");
    let expected = [
        format!("-#{}", number(3)),
        format!("genre-counts#{}", number(1)),
        format!("genre-counts#{}", number(2)),
    ];
    assert_eq!(ids, expected);
    let of_view = world.parked(&["list", "genre-counts"]);
    assert_eq!(
        (of_view["total"].clone(), of_view["counts"][0]["count"].clone()),
        (2.into(), 2.into())
    );
    assert_eq!(world.parked(&["list", "-"])["total"], 1);

    let shown = world.parked(&["show", &ids[1]]);
    assert_eq!(shown["record"], genre_list(1, "A"), "the payload as it was delivered");
    assert_eq!(shown["sequence_number"], format!("{:021}", 1));
    check(
        &endpoint,
        &["parked", "show", "genre-counts#nothing", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 1
            on standard error:
            error: no record is parked as genre-counts#nothing
              next: copy an id from `afterimage parked list`, and quote it
        "#]],
    );
    check(
        &endpoint,
        &["parked", "drop", "--all", "--endpoint", "ENDPOINT"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: parked drop asks before it deletes, and there is no terminal to ask at
              next: add --yes
        "#]],
    );
    let dropped = world.run(None, &["parked", "drop", &ids[1], "absent", "--yes"]);
    assert_eq!(dropped.stdout, format!("{}: deleted\nabsent: not there\n", ids[1]));
    assert_eq!(dropped.code, Some(1), "one was not there");
    assert_eq!(world.ids(), [ids[0].clone(), ids[2].clone()]);
    assert_eq!(world.run(None, &["parked", "drop", "--all", "--yes"]).code, Some(0));
    assert_eq!(world.ids().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_applies_what_mended_views_can_apply() {
    let world = World::new().await;
    assert_eq!(world.deliver(None, &[genre_list(1, "A"), genre_list(2, "B")]), "parked parked");
    let stays = "parked stays".to_owned();
    assert_eq!(world.retry_all(None), (Some(1), vec![stays.clone(), stays]));
    assert_eq!(world.ids().len(), 2, "what is parked again is parked once");
    assert!(world.counts("albums-by-genre").is_empty());

    world.forget_registry().await;
    // Redelivery alone never replaces an entry at equal version.
    assert_eq!(world.deliver(Some(BY_STYLE), &[genre_list(1, "A")]), "duplicate");
    let applied = "applied removed".to_owned();
    assert_eq!(world.retry_all(Some(BY_STYLE)), (Some(0), vec![applied.clone(), applied]));
    assert_eq!(world.counts("albums-by-genre"), [("Hard".to_owned(), "2".to_owned())]);
    assert_eq!(world.ids().len(), 0);
    assert_eq!(world.retry_all(Some(BY_STYLE)), (Some(0), vec![]), "a second time");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_after_a_newer_record_is_no_regression() {
    let world = World::new().await;
    assert_eq!(world.deliver(None, &[genre_list(1, "A")]), "parked");
    let newer = album(2, "A", "Genre", json!({"S": "Jazz"}));
    assert_eq!(world.deliver(None, &[newer]), "applied");
    // Under the views that parked it, it would be parked again: but it does not matter any more.
    assert_eq!(world.retry_all(None), (Some(0), vec!["duplicate removed".to_owned()]));
    assert_eq!(world.counts("albums-by-genre"), [("Jazz".to_owned(), "1".to_owned())]);
    assert_eq!(world.ids().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_between_apply_and_removal_leaves_a_harmless_record() {
    let world = World::new().await;
    assert_eq!(world.deliver(None, &[genre_list(1, "A")]), "parked");
    let client = world.emulator.client();
    let scan = client.scan().table_name("afterimage-derived").send().await.expect("a scan");
    let is_parked = |it: &&std::collections::HashMap<_, _>| it.contains_key("payload");
    let parked = scan.items().iter().find(is_parked).cloned().expect("a parked record");
    world.forget_registry().await;
    assert_eq!(world.retry_all(Some(BY_STYLE)).0, Some(0));
    // As if the removal had not happened.
    let put = client.put_item().table_name("afterimage-derived").set_item(Some(parked));
    put.send().await.expect("a put");
    let again = world.retry_all(Some(BY_STYLE));
    assert_eq!(again, (Some(0), vec!["duplicate removed".to_owned()]));
    assert_eq!(world.counts("albums-by-genre"), [("Hard".to_owned(), "1".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn records_parked_beside_all_views_are_routed_again() {
    let world = World::new().await;
    let message = record(
        "messages",
        1,
        json!({"pk": {"S": "MSG#g"}, "sk": {"S": "t1"}}),
        json!({"message": {"S": "hello"}}),
    );
    // A function whose views file does not declare the table of messages.
    let tables = "[table.albums]\npartition_key = \"Artist\"\nsort_key = \"Album\"\n";
    let views = Views::parse(&[tables, BY_STYLE].concat()).expect("views");
    let names = TableNames::defaults(&views.all_tables()).expect("names");
    let processor = Processor::new(world.emulator.client(), views, names).expect("a processor");
    let event = serde_json::from_value(json!({ "Records": [message] })).expect("an event");
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    let report = processor.process(&event, deadline).await;
    assert_eq!(report.outcomes().collect::<Vec<_>>(), [("-", Outcome::Parked)]);
    assert_eq!(world.ids()[0].split('#').next(), Some("-"));
    world.forget_registry().await;
    assert_eq!(world.retry_all(None), (Some(0), vec!["applied removed".to_owned()]));
    assert_eq!(world.ids().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_view_that_is_gone_stays() {
    let world = World::new().await;
    assert_eq!(world.deliver(None, &[genre_list(1, "A")]), "parked");
    let renamed = BY_STYLE.replace("genre-counts", "style-counts");
    world.forget_registry().await;
    let run = world.run(Some(&renamed), &["parked", "retry", "--view", "genre-counts"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("there is no view `genre-counts`"), "{}", run.stdout);
    assert_eq!(world.ids().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_beyond_the_limit_follow_once_there_is_room() {
    let world = World::new().await;
    for owner in ["ada", "lin", "sam"] {
        put_row(&world, owner, &[("message", "before".to_owned())]).await;
    }
    let narrow = messages_view(1, "message");
    world.deliver(Some(&narrow), &[message(1, "t1", "hello")]);
    assert_eq!(world.ids().len(), 1, "{:?}", world.parked(&["list"]));
    assert_eq!(world.rows().iter().filter(|row| row.contains("sk=t1")).count(), 1);
    let middle = messages_view(2, "message");
    assert_eq!(world.retry_all(Some(&middle)), (Some(1), vec!["parked stays".to_owned()]));
    assert_eq!(world.ids().len(), 1, "what is still parked of it is the same record");
    let wide = messages_view(3, "message");
    assert_eq!(world.retry_all(Some(&wide)), (Some(0), vec!["applied removed".to_owned()]));
    let rows = world.rows();
    assert_eq!(rows.len(), 3);
    assert!(
        rows.iter().all(|row| row.contains("sk=t1  ") && row.contains("message=hello")),
        "{rows:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_row_that_could_not_be_written_follows_once_it_can() {
    let world = World::new().await;
    put_row(&world, "lin", &[("message", "before".to_owned())]).await;
    let more: Vec<(String, String)> =
        (0..150).map(|it| (format!("a{it}"), "x".to_owned())).collect();
    let more: Vec<_> = more.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    put_row(&world, "ada", &more).await;
    let views = messages_view(500, "message");
    world.deliver(Some(&views), &[message(1, "t1", "hello")]);
    assert_eq!(world.retry_all(Some(&views)), (Some(1), vec!["parked stays".to_owned()]));
    assert_eq!(world.rows().iter().filter(|row| row.contains("sk=t1  ")).count(), 1);
    // The application makes the row smaller; whether its own record comes or not, the retry sees it.
    put_row(&world, "ada", &[("pinned", "yes".to_owned())]).await;
    assert_eq!(world.retry_all(Some(&views)), (Some(0), vec!["applied removed".to_owned()]));
    let rows = world.rows();
    assert_eq!(rows.len(), 2);
    assert!(
        rows.iter().all(|row| row.contains("sk=t1  ") && row.contains("message=hello")),
        "{rows:?}"
    );
    assert!(rows[0].contains("pinned=yes"), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_too_large_is_taken_again_only_where_it_is_the_newest() {
    let world = World::new().await;
    put_row(&world, "ada", &[]).await;
    let large = "x".repeat(201 * 1024);
    let views = messages_view(500, "message");
    world.deliver(Some(&views), &[message(1, "t1", "one"), message(3, "t3", &large)]);
    world.deliver(Some(&views), &[message(2, "t2", &large), message(4, "t4", &large)]);
    world.deliver(Some(&views), &[message(5, "t3", "three")]);
    assert_eq!(world.ids().len(), 3);
    // Another attribute is copied now, so that all of them can be taken.
    world.forget_registry().await;
    let mended = messages_view(500, "user_handle");
    let words = ["stale removed", "duplicate removed", "applied removed"];
    assert_eq!(world.retry_all(Some(&mended)), (Some(0), words.map(str::to_owned).to_vec()));
    assert!(world.rows()[0].contains("sk=t4  "), "{:?}", world.rows());
}
