//! Changing and deleting albums.

use albums::ALBUMS;
use aws_sdk_dynamodb::operation::delete_item::DeleteItemError;
use aws_sdk_dynamodb::types::AttributeValue;

use crate::gateway::{Answer, Gateway};

async fn change(gateway: &Gateway, body: &str) -> Answer {
    gateway.call("PUT", "/api/albums", "", body).await
}

async fn delete(gateway: &Gateway, query: &str) -> Answer {
    gateway.call("DELETE", "/api/albums", query, "").await
}

async fn takes_updates_of_nothing(gateway: &Gateway) -> bool {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let update = gateway.dynamodb.client().update_item();
    let update = update.table_name(gateway.dynamodb.name(&ALBUMS));
    update.key("Artist", text("any")).key("Album", text("other")).send().await.is_ok()
}

/// Whether a comparison of two types makes a condition false, as it has to.
async fn compares_types(gateway: &Gateway) -> bool {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let delete = gateway.dynamodb.client().delete_item();
    let delete = delete
        .table_name(gateway.dynamodb.name(&ALBUMS))
        .key("Artist", text("a"))
        .key("Album", text("b"))
        .condition_expression("Artist > :number")
        .expression_attribute_values(":number", AttributeValue::N("1".to_owned()));
    let refused = delete.send().await.expect_err("a text is not greater than a number");
    refused.as_service_error().is_some_and(DeleteItemError::is_conditional_check_failed_exception)
}

#[tokio::test]
async fn what_the_body_gives_is_changed_and_the_rest_kept() {
    let gateway = Gateway::empty().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |text: &str| AttributeValue::N(text.to_owned());
    let attributes = [
        ("Artist", text("Björk")),
        ("Album", text("Post")),
        ("Rank", number("373")),
        ("Year", number("1995")),
        ("Label", text("One Little Indian")),
        ("Price", number("12345678901234567890123456789.012345678")),
    ];
    gateway.put(ALBUMS, &attributes).await;
    let rest = r#""Label":"One Little Indian","Price":12345678901234567890123456789.012345678"#;
    let check = async |body: &str, expected: &str| change(&gateway, body).await.is(200, expected);
    check(
        r#"{"Artist": "Björk", "Album": "Post", "Genre": "Electronic", "Rank": null}"#,
        &format!(r#"{{"Album":"Post","Artist":"Björk","Genre":"Electronic",{rest},"Year":1995}}"#),
    )
    .await;
    if takes_updates_of_nothing(&gateway).await {
        check(
            r#"{"Artist": "Björk", "Album": "Post"}"#,
            &format!(
                r#"{{"Album":"Post","Artist":"Björk","Genre":"Electronic",{rest},"Year":1995}}"#
            ),
        )
        .await;
    } else {
        let lacking = "UpdateItem without an UpdateExpression";
        gateway.dynamodb.leave_out("a change of nothing answers with the album", lacking);
    }
    check(
        r#"{"Artist": "Björk", "Album": "Post", "Genre": null, "Year": 1996, "Rank": 7}"#,
        &format!(r#"{{"Album":"Post","Artist":"Björk",{rest},"Rank":7,"Year":1996}}"#),
    )
    .await;
}

#[tokio::test]
async fn an_album_that_is_not_there_is_not_made_by_a_change() {
    let gateway = Gateway::empty().await;
    for body in [
        r#"{"Artist": "a", "Album": "b", "Genre": "Rock"}"#,
        r#"{"Artist": "a", "Album": "b", "Genre": null}"#,
        r#"{"Artist": "a", "Album": "b"}"#,
    ] {
        change(&gateway, body).await.is_error(404, "album_not_found");
    }
    for body in [
        r#"{"Artist": "a", "Album": null}"#,
        r#"{"Artist": "a", "Album": "b", "Label": null}"#,
        r#"{"Artist": "a", "Album": "b", "Genre": ""}"#,
        r#"{"Artist": "a", "Album": "b", "Year": "1980"}"#,
        "nonsense",
    ] {
        change(&gateway, body).await.is_error(400, "invalid_body");
    }
    let answer = gateway.call("PUT", "/api/albums", "overwrite=true", "{}").await;
    answer.is_error(400, "invalid_parameter");
    gateway.list("").await.is(200, r#"{"albums":[]}"#);
}

#[tokio::test]
async fn only_albums_that_are_not_protected_are_deleted() {
    let gateway = Gateway::empty().await;
    for (album, rank) in [
        ("first", r#", "Rank": 1"#),
        ("100", r#", "Rank": 100"#),
        ("101", r#", "Rank": 101"#),
        ("none", ""),
    ] {
        let body = format!(r#"{{"Artist": "AC/DC", "Album": "{album}"{rank}}}"#);
        assert_eq!(gateway.add(&body).await.status, 201);
    }
    delete(&gateway, "artist=AC%2FDC&album=first").await.is_error(409, "album_protected");
    delete(&gateway, "artist=AC%2FDC&album=100").await.is(
        409,
        r#"{"error":"album_protected","message":"this album is protected: albums of rank 100 and better are kept; PUT takes its Rank away first"}"#,
    );
    delete(&gateway, "artist=AC/DC&album=101").await.is(204, "");
    delete(&gateway, "artist=AC%2FDC&album=101").await.is_error(404, "album_not_found");
    delete(&gateway, "artist=AC%2FDC&album=none").await.is(204, "");
    let body = r#"{"Artist": "AC/DC", "Album": "first", "Rank": null}"#;
    assert_eq!(change(&gateway, body).await.status, 200);
    delete(&gateway, "album=first&artist=AC%2FDC").await.is(204, "");
    gateway.list("").await.is(200, r#"{"albums":[{"Album":"100","Artist":"AC/DC","Rank":100}]}"#);
}

#[tokio::test]
async fn a_rank_that_is_no_number_protects() {
    let gateway = Gateway::empty().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let attributes = [("Artist", text("a")), ("Album", text("b")), ("Rank", text("999"))];
    gateway.put(ALBUMS, &attributes).await;
    if !compares_types(&gateway).await {
        let lacking = "comparisons of values of two types";
        gateway.dynamodb.leave_out("a rank that is no number protects its album", lacking);
        return;
    }
    delete(&gateway, "artist=a&album=b").await.is_error(409, "album_protected");
}

#[tokio::test]
async fn a_deletion_names_its_album() {
    let gateway = Gateway::empty().await;
    let long = format!("artist=a&album={}", "b".repeat(1025));
    for query in [
        "",
        "artist=a",
        "album=a",
        "artist=&album=a",
        "artist=a&album=b&genre=c",
        "artist=a&artist=b&album=c",
        &long,
    ] {
        delete(&gateway, query).await.is_error(400, "invalid_parameter");
    }
    delete(&gateway, "artist=Sigur+R%C3%B3s&album=%28%20%29")
        .await
        .is_error(404, "album_not_found");
}
