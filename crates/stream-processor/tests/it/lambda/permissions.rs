//! The permissions in `template.yaml` against what the function does when it does everything.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testkit::lambda::Function;

use super::{ALBUMS, Deployment, MESSAGES, album, batch, failed, message, record, row};

async fn deliver(function: &mut Function, records: &[Value]) {
    let response = function.invoke(&batch(records)).await.expect("a response");
    assert_eq!(failed(&response), [""; 0]);
}

/// Counts, taken back and parked; rows found, moved, edited, merged and gone; a group that needs
/// chunks.
#[tokio::test]
async fn permissions_are_what_it_needs_and_no_more() {
    let deployment = Deployment::new().await;
    let (mut function, dynamodb) = deployment.start(None).await;
    let mut removed = album(2, "Jazz");
    removed["eventName"] = json!("REMOVE");
    removed["dynamodb"]["SequenceNumber"] = json!("100000000000000000009");
    deliver(&mut function, &[album(1, "Jazz"), album(2, "Jazz"), json!({})]).await;
    deliver(&mut function, &[removed]).await;
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("1"));
    // The last one of its genre.
    let mut last = album(1, "Jazz");
    last["eventName"] = json!("REMOVE");
    last["dynamodb"]["SequenceNumber"] = json!("100000000000000000010");
    deliver(&mut function, &[last]).await;
    assert_eq!(deployment.count("Jazz").await, None);

    // Rows that only the index knows, enough for chunks, follow a message.
    let owners: Vec<_> = (0..60).map(|number| format!("owner{number:02}")).collect();
    for owner in &owners {
        deployment.put_row(owner, "g", "t0").await;
    }
    deliver(&mut function, &[message(10, "INSERT", "g", "t1", "first")]).await;
    let message_of = |owner: &'static str, sk: &'static str| {
        let deployment = &deployment;
        async move {
            let key = format!("GRP#{owner}");
            deployment.attribute(MESSAGES, (&key, sk), "message").await
        }
    };
    assert_eq!(message_of("owner59", "t1").await.as_deref(), Some("first"));
    // Edited in place, and a member joins with a second row.
    deliver(&mut function, &[message(11, "MODIFY", "g", "t1", "second")]).await;
    assert_eq!(message_of("owner59", "t1").await.as_deref(), Some("second"));
    deployment.put_row("owner59", "g", "t3").await;
    deliver(&mut function, &[row(12, "owner59", "g", "t3")]).await;
    // A member leaves, and the others go on.
    let delete = deployment.client.delete_item();
    let delete = delete.table_name(deployment.tables.name(&MESSAGES));
    let delete = delete.key("pk", super::text("GRP#owner00")).key("sk", super::text("t1"));
    delete.send().await.expect("a deletion");
    deliver(&mut function, &[message(13, "INSERT", "g", "t2", "third")]).await;
    assert_eq!(message_of("owner59", "t2").await.as_deref(), Some("third"));
    assert_eq!(message_of("owner00", "t2").await, None);

    // A record that only parks.
    let image = json!({"Artist": {"S": "a"}, "Album": {"S": "b"}, "Genre": {"L": []}});
    let unfit = record(&ALBUMS, 20, "INSERT", &["Artist", "Album"], &image);
    deliver(&mut function, &[unfit]).await;

    deployment.deployed.assert_permissions(&dynamodb.accesses());
    let written: BTreeSet<_> = dynamodb
        .accesses()
        .into_iter()
        .filter(|it| it.table == MESSAGES && it.action.ends_with("Item"))
        .filter(|it| it.action != "dynamodb:BatchGetItem")
        .filter_map(|it| it.leading_key)
        .collect();
    assert!(written.iter().all(|key| key.starts_with("GRP#")), "{written:?}");
}
