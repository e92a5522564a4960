//! Batches: one bad record harms no other, and what failed is reported so that it comes again.

use afterimage::Outcome;
use afterimage_schema::Table;
use serde_json::{Value, json};
use testkit::stream_record::{STREAM_LABEL, stream_arn};

use crate::faults::Fault;
use crate::world::{ALBUMS, World, record, words};

fn album(number: u64, artist: &str) -> Value {
    album_of(number, artist, artist)
}

fn album_of(number: u64, artist: &str, genre: &str) -> Value {
    let keys = json!({"Artist": {"S": artist}, "Album": {"S": "Album"}});
    let mut image = keys.clone();
    image["Genre"] = json!({ "S": genre });
    record(&ALBUMS, "INSERT", number, keys, image)
}

fn undecodable(number: u64) -> Value {
    let mut record = album(number, "broken");
    record["dynamodb"]["NewImage"]["Genre"] = json!({"S": 5});
    record
}

#[tokio::test]
async fn neighbours_of_a_bad_and_of_a_throttled_record_are_applied() {
    let (world, faults) = World::with_faults().await;
    // The last record's group is touched by no other, but all share one transaction: throttling sets
    // back all of them until it is split.
    faults.throttle_writes_of("throttled");
    let records = [album(1, "first"), undecodable(2), album(3, "third"), album(4, "throttled")];
    let report = world.deliver(&records).await;
    assert_eq!(words(&report), "applied parked applied failed");
    let failures = report.response().batch_item_failures;
    let identifiers: Vec<_> = failures.iter().map(|it| it.item_identifier.as_deref()).collect();
    assert_eq!(identifiers, [Some("000000000000000000004")]);
    assert_eq!(
        world.parked().await,
        [(
            "parked#genre-counts#2026-01-01T00:00:00.000#000000000000000000002".to_owned(),
            "`dynamodb.NewImage` is not an item: `NewImage.Genre` does not hold a value of its type S"
                .to_owned(),
        )]
    );
    faults.clear();
    let again = world.deliver(&records).await;
    assert_eq!(words(&again), "duplicate duplicate duplicate applied");
    assert_eq!(world.counts("albums-by-genre").await.len(), 3);
}

#[tokio::test]
async fn a_record_that_cannot_be_routed_is_parked_beside_all_views() {
    let world = World::new().await;
    let mut foreign = album(1, "x");
    foreign["eventSourceARN"] = json!(stream_arn("other", STREAM_LABEL));
    let mut numberless = album(2, "x");
    numberless["dynamodb"].as_object_mut().expect("an object").remove("SequenceNumber");
    let report = world.deliver(&[foreign, json!("nonsense"), numberless, album(3, "y")]).await;
    assert_eq!(words(&report), "parked parked parked applied");
    assert_eq!(world.parked().await.len(), 3);
}

#[tokio::test]
async fn a_lost_response_resolves_to_applied_once() {
    let (world, faults) = World::with_faults().await;
    // More losses than the SDK repeats a request under one token.
    faults.push(&[Fault::LoseResponse, Fault::LoseResponse, Fault::LoseResponse]);
    let report = world.deliver(&[album(1, "a"), album(2, "a")]).await;
    assert_eq!(words(&report), "coalesced applied");
    assert_eq!(world.counts("albums-by-genre").await, [("a".to_owned(), 1)].into());
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn an_error_of_the_service_is_not_taken_for_success() {
    let (world, faults) = World::with_faults().await;
    faults.push(&[Fault::InternalError, Fault::InternalError, Fault::InternalError]);
    assert_eq!(words(&world.deliver(&[album(1, "a")]).await), "applied");
    assert_eq!(world.counts("albums-by-genre").await, [("a".to_owned(), 1)].into());
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn conflicts_are_waited_out() {
    let (world, faults) = World::with_faults().await;
    faults.push(&[Fault::Conflict, Fault::Throttle, Fault::Conflict, Fault::InternalError]);
    let report = world.deliver(&[album(1, "a"), album(2, "b")]).await;
    assert_eq!(words(&report), "applied applied");
    assert_eq!(world.counts("albums-by-genre").await.len(), 2);
    assert_eq!(faults.left(), 0);
}

#[tokio::test]
async fn a_batch_without_time_reports_everything_as_failed() {
    let world = World::new().await;
    // The first is superseded by the second, and shares its fate.
    let event = world.event(&[album(1, "a"), album(2, "a"), album(3, "b")]);
    let report = world.processor.process(&event, tokio::time::Instant::now()).await;
    assert_eq!(words(&report), "failed failed failed");
    assert_eq!(world.dump(Table::DERIVED).await, []);
}

#[tokio::test]
async fn an_unreachable_table_fails_the_batch_and_parks_nothing() {
    let world = World::new().await;
    let delete = world.client.delete_table().table_name(world.name(&Table::DERIVED));
    delete.send().await.expect("deleted");
    let report = world.deliver(&[album(1, "a"), undecodable(2)]).await;
    assert_eq!(words(&report), "failed failed");
}

#[tokio::test]
async fn a_commit_that_fails_forgets_none_of_those_beside_it() {
    let (world, faults) = World::with_faults().await;
    // Three transactions at once, of which one is denied for good.
    faults.push(&[Fault::Deny]);
    let albums = (0..180).map(|number| (number, format!("genre {}", number % 3)));
    let records: Vec<_> =
        albums.map(|(number, genre)| album_of(100 + number, &number.to_string(), &genre)).collect();
    let report = world.deliver(&records).await;
    let applied = report.outcomes().filter(|(_, outcome)| *outcome == Outcome::Applied).count();
    assert_eq!(applied, 120);
    assert_eq!(world.counts("albums-by-genre").await.values().sum::<u64>(), 120);
    let again = world.deliver(&records).await;
    assert!(again.outcomes().all(|(_, it)| matches!(it, Outcome::Applied | Outcome::Duplicate)));
    assert_eq!(world.counts("albums-by-genre").await.values().sum::<u64>(), 180);
}
