use std::sync::Arc;

use aws_sdk_dynamodb::types::AttributeValue;
use embedded_dynamodb::{Emulator, Guard, Storage};

use crate::emulator::{create_tables, put, record_count};

/// Refuses requests for this operation.
fn refusing(target: &'static str) -> Guard {
    Arc::new(move |request| {
        let asked = request.headers.get("x-amz-target")?;
        (asked == target).then(|| {
            let body =
                r#"{"__type":"com.amazon.coral.service#AccessDeniedException","message":"no"}"#;
            let mut response = axum::http::Response::new(axum::body::Body::from(body));
            *response.status_mut() = axum::http::StatusCode::FORBIDDEN;
            response
        })
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_notices_no_guard_that_lets_it_through() {
    let guard = refusing("DynamoDB_20120810.DeleteTable");
    let emulator = Emulator::start_behind(guard, Storage::Memory, 0).await.expect("started");
    create_tables(&emulator).await;
    let puts = (0..40).map(|number| {
        let client = emulator.client();
        let put = client.put_item().table_name("afterimage-orders");
        let put = put
            .item("customer", AttributeValue::S("ada".to_owned()))
            .item("number", AttributeValue::S(number.to_string()))
            .item("note", AttributeValue::S("x".repeat(100_000)));
        tokio::spawn(put.send())
    });
    for put in puts.collect::<Vec<_>>() {
        put.await.expect("no panic").expect("a put");
    }
    assert_eq!(record_count(&emulator).await, 40);
    let error = emulator.client().get_item().table_name("absent").send().await.expect_err("absent");
    assert!(error.as_service_error().is_some(), "{error:?}");
    let error = emulator.client().delete_table().table_name("afterimage-orders").send().await;
    let error = error.expect_err("refused");
    assert_eq!(error.raw_response().map(|it| it.status().as_u16()), Some(403), "{error:?}");
    put(&emulator, "still there").await;
    emulator.shutdown().await;
}

#[tokio::test]
async fn a_file_behind_a_guard_survives_a_restart() {
    let directory = tempfile::tempdir().expect("a directory");
    let storage = Storage::File(directory.path().join("dynamodb.sqlite"));
    for count in 1..=2 {
        let guard = refusing("nothing");
        let emulator = Emulator::start_behind(guard, storage.clone(), 0).await.expect("started");
        create_tables(&emulator).await;
        put(&emulator, &count.to_string()).await;
        assert_eq!(record_count(&emulator).await, count);
        emulator.shutdown().await;
    }
}
