//! Counts per genre.

use afterimage_schema::Table;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::gateway::Gateway;

async fn put_count(gateway: &Gateway, genre: &str, count: AttributeValue) {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let attributes = [("pk", text("albums-by-genre")), ("sk", text(genre)), ("count", count)];
    gateway.put(Table::DERIVED, &attributes).await;
}

fn number(text: &str) -> AttributeValue {
    AttributeValue::N(text.to_owned())
}

#[tokio::test]
async fn genres_come_in_order_and_without_zeros() {
    let gateway = Gateway::empty().await;
    gateway.call("GET", "/api/genres", "", "").await.is(200, r#"{"genres":[]}"#);
    for (genre, count) in
        [("Rock", "249"), ("Jazz", "0"), ("Funk / Soul", "38"), ("Électronique", "1")]
    {
        put_count(&gateway, genre, number(count)).await;
    }
    gateway.call("GET", "/api/genres", "", "").await.is(
        200,
        r#"{"genres":[{"genre":"Funk / Soul","count":38},{"genre":"Rock","count":249},{"genre":"Électronique","count":1}]}"#,
    );
    gateway.call("GET", "/api/genres", "limit=1", "").await.is_error(400, "invalid_parameter");
}

#[tokio::test]
async fn every_page_of_the_counts_is_read() {
    let gateway = Gateway::empty().await;
    for index in 0..1_100 {
        put_count(&gateway, &format!("{index:04}{}", "g".repeat(1_000)), number("2")).await;
    }
    let body = gateway.call("GET", "/api/genres", "", "").await.json();
    assert_eq!(body["genres"].as_array().map(Vec::len), Some(1_100));
}

#[tokio::test]
async fn a_malformed_count_is_an_error() {
    for count in [AttributeValue::S("3".to_owned()), number("-1"), number("1.5")] {
        let gateway = Gateway::empty().await;
        put_count(&gateway, "Rock", count).await;
        gateway.call("GET", "/api/genres", "", "").await.is_error(500, "internal");
    }
}

#[tokio::test]
async fn a_failing_store_is_not_shown() {
    let gateway = Gateway::empty().await;
    let albums = gateway.with_counts_in("no-such-table");
    albums.call("GET", "/api/genres", "", "").await.is(
        500,
        r#"{"error":"internal","message":"something went wrong on our side; it is logged"}"#,
    );
}
