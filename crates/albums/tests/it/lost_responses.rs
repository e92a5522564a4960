//! Writes that are carried out while their response is lost, so that the SDK sends them again.

use crate::gateway::Gateway;

const ALBUM: &str = r#"{"Album":"Post","Artist":"Björk"}"#;

#[tokio::test]
async fn an_album_is_added_by_its_own_write() {
    let gateway = Gateway::empty().await.losing_a_response();
    if gateway.knows_tokens() {
        gateway.add(ALBUM).await.is(201, ALBUM);
        gateway.add(ALBUM).await.is_error(409, "album_exists");
    }
}

#[tokio::test]
async fn an_album_is_deleted_by_its_own_write() {
    let gateway = Gateway::empty().await;
    gateway.add(ALBUM).await.is(201, ALBUM);
    let gateway = gateway.losing_a_response();
    if gateway.knows_tokens() {
        let query = "artist=Bj%C3%B6rk&album=Post";
        gateway.call("DELETE", "/api/albums", query, "").await.is(204, "");
        gateway.call("DELETE", "/api/albums", query, "").await.is_error(404, "album_not_found");
    }
}

#[tokio::test]
async fn a_change_that_is_sent_twice_changes_once() {
    let gateway = Gateway::empty().await;
    gateway.add(ALBUM).await.is(201, ALBUM);
    let gateway = gateway.losing_a_response();
    let body = r#"{"Album":"Post","Artist":"Björk","Year":1995}"#;
    gateway.call("PUT", "/api/albums", "", body).await.is(200, body);
}
