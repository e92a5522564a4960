//! Random histories, delivered at random and through faults: in the end derived state is the fold of
//! the sources, and a replay of everything changes nothing.

use afterimage_schema::Table;
use futures::StreamExt as _;
use serde_json::{Value, json};

use crate::faults::{Fault, Faults};
use crate::world::{ALBUMS, MESSAGES, World};

/// One change of a source table, drawn at random.
async fn change(world: &World, random: &mut fastrand::Rng) {
    match random.u8(0..10) {
        0..3 => {
            let key =
                json!({"Artist": {"S": format!("a{}", random.u8(0..6))}, "Album": {"S": "x"}});
            if random.u8(0..4) == 0 {
                world.delete(ALBUMS, key).await;
            } else {
                let mut item = key;
                let genre = ["Rock", "Jazz", "AC/DC", "Ünïcode"][random.usize(0..4)];
                item["Genre"] = json!({ "S": genre });
                if random.u8(0..6) == 0 {
                    item.as_object_mut().expect("an item").remove("Genre");
                }
                world.put(ALBUMS, item).await;
            }
        }
        3..7 => {
            // Few times and few groups: equal keys and equal timestamps across groups are common.
            let item = json!({
                "pk": {"S": format!("MSG#g{}", random.u8(0..3))},
                "sk": {"S": format!("t{:02}", random.u8(0..30))},
                "message": {"S": format!("text {}", random.u16(..))},
            });
            world.put(MESSAGES, item).await;
        }
        _ => {
            let (owner, group) = (random.u8(0..4), random.u8(0..3));
            if let Some(mut row) = row_of(world, owner, group).await {
                let key = json!({"pk": row["pk"], "sk": row["sk"]});
                match random.u8(0..5) {
                    0 => world.delete(MESSAGES, key).await,
                    1 => {
                        row["since"] = json!({ "N": random.u16(..).to_string() });
                        row["message"] = json!({ "S": "overwritten" });
                        world.put(MESSAGES, row).await;
                    }
                    _ => {}
                }
            } else {
                let item = json!({
                    "pk": {"S": format!("GRP#o{owner}")},
                    "sk": {"S": format!("t{:02}#{owner}{group}", random.u8(0..40))},
                    "message_group_uuid": {"S": format!("g{group}")},
                    "message": {"S": "joined"},
                    "since": {"N": random.u16(..).to_string()},
                });
                world.put(MESSAGES, item).await;
            }
        }
    }
}

async fn row_of(world: &World, owner: u8, group: u8) -> Option<Value> {
    let items = world.dump(MESSAGES).await;
    let items = items.iter().map(afterimage::attribute_value::item_to_json);
    let mut rows = items.filter(|item| {
        item["pk"]["S"] == format!("GRP#o{owner}")
            && item["message_group_uuid"]["S"] == format!("g{group}")
    });
    rows.next()
}

/// Delivers records in random batches: some twice, some again much later, batches out of order.
async fn deliver_at_random(
    world: &World,
    faults: &Faults,
    records: &[Value],
    random: &mut fastrand::Rng,
) {
    let mut deliveries: Vec<Value> = records.to_vec();
    deliveries.extend(records.iter().filter(|_| random.u8(0..4) == 0).cloned());
    random.shuffle(&mut deliveries);
    let mut rest = deliveries.as_slice();
    while !rest.is_empty() {
        let (batch, left) = rest.split_at(random.usize(1..=rest.len().min(12)));
        rest = left;
        let (one, other) = batch.split_at(batch.len() / 2);
        if random.u8(0..3) == 0 {
            let script: Vec<_> =
                (0..random.usize(1..4)).map(|_| FAULTS[random.usize(0..FAULTS.len())]).collect();
            faults.push(&script);
        }
        tokio::join!(deliver_until_done(world, one), deliver_until_done(world, other));
    }
}

const FAULTS: [Fault; 4] =
    [Fault::Throttle, Fault::Conflict, Fault::InternalError, Fault::LoseResponse];

async fn deliver_until_done(world: &World, batch: &[Value]) {
    for _ in 0..5 {
        if world.deliver(batch).await.response().batch_item_failures.is_empty() {
            return;
        }
    }
    panic!("a batch fails again and again");
}

async fn check(seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut world, faults) = World::with_faults().await;
    let mut old: Vec<Value> = Vec::new();
    for _ in 0..4 {
        for _ in 0..random.usize(1..25) {
            change(&world, &mut random).await;
        }
        let mut records = world.records(ALBUMS).await;
        records.extend(world.records(MESSAGES).await);
        let again = old.iter().filter(|_| random.u8(0..8) == 0).cloned().collect::<Vec<_>>();
        old.extend(records.iter().cloned());
        records.extend(again);
        deliver_at_random(&world, &faults, &records, &mut random).await;
    }
    world.drain().await;
    world.assert_exact().await;
    // A replay of everything, from the beginning, changes nothing.
    let before = (world.dump(MESSAGES).await, world.dump(Table::DERIVED).await);
    deliver_at_random(&world, &faults, &old, &mut random).await;
    let after = (world.dump(MESSAGES).await, world.dump(Table::DERIVED).await);
    assert_eq!(before, after, "seed {seed}");
}

/// A shared engine is slow: fewer histories are enough to see that it agrees.
fn history_count() -> u64 {
    let is_shared = std::env::var_os(testkit::dynamodb::ENDPOINT_VARIABLE).is_some();
    if is_shared { 6 } else { 20 }
}

#[tokio::test]
async fn every_history_ends_exact() {
    futures::stream::iter((0..history_count()).map(check))
        .buffer_unordered(10)
        .collect::<()>()
        .await;
}
