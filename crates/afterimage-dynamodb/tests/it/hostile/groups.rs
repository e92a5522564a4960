//! Groups of any size: the rows that a view allows follow, the others are parked, in bounded work.

use super::{is_embedded, message, row};
use crate::world::{MESSAGES, World, to_sdk, words};

/// Puts rows of one group, 25 a request.
async fn put_rows(world: &World, count: usize) {
    let rows: Vec<_> =
        (0..count).map(|owner| row(&format!("owner {owner:04}"), "g", "t0")).collect();
    for rows in rows.chunks(25) {
        let puts = rows.iter().map(|row| {
            let put = aws_sdk_dynamodb::types::PutRequest::builder().set_item(Some(to_sdk(row)));
            let put = put.build().expect("a put");
            aws_sdk_dynamodb::types::WriteRequest::builder().put_request(put).build()
        });
        let request = world.client.batch_write_item();
        let request = request.request_items(world.name(&MESSAGES), puts.collect());
        request.send().await.expect("puts");
    }
}

/// A message for so many members: how many rows follow, and the most transactions that it may take.
async fn check(member_count: usize, moved_count: usize, transaction_count_max: u64) {
    let world = World::new().await;
    if member_count >= 500 && !is_embedded(&world, "large groups", "speed") {
        return;
    }
    put_rows(&world, member_count).await;
    let report = world.deliver(&[message(1, "g", "t1", "new")]).await;
    assert_eq!(words(&report), "applied");
    let rows = world.dump(MESSAGES).await;
    let moved = rows.iter().filter(|row| row.get("sk").and_then(|it| it.as_string()) == Some("t1"));
    assert_eq!(moved.count(), moved_count);
    assert_eq!(rows.len(), member_count);
    let transactions = report.consumption.transaction_count;
    assert!(transactions <= transaction_count_max, "{transactions} transactions");
    let parked = world.parked().await;
    let reasons: Vec<_> = parked.iter().map(|(_, reason)| reason.as_str()).collect();
    match member_count > moved_count {
        true => assert_eq!(reasons, ["the group has 500 rows, the most that the view allows"]),
        false => assert_eq!(reasons, [""; 0]),
    }
    // The next message moves the same rows, and parks nothing more than itself.
    assert_eq!(words(&world.deliver(&[message(2, "g", "t2", "newer")]).await), "applied");
    assert!(world.parked().await.len() <= 2);
}

#[tokio::test]
async fn groups_of_no_member_to_a_chunk_and_one() {
    check(0, 0, 1).await;
    check(1, 1, 1).await;
    check(48, 48, 1).await;
    check(49, 49, 1).await;
    check(50, 50, 2).await;
}

#[tokio::test]
async fn a_group_of_as_many_members_as_the_view_allows_and_one() {
    check(500, 500, 11).await;
    check(501, 500, 12).await;
}

#[tokio::test]
async fn a_group_of_ten_times_as_many_members_as_the_view_allows() {
    check(5_000, 500, 12).await;
}
