//! Adding albums.

use crate::gateway::Gateway;

#[tokio::test]
async fn an_album_is_added_once() {
    let gateway = Gateway::empty().await;
    let body = r#"{"Artist": "AC/DC", "Album": "Back in Black", "Rank": 77, "Year": 1980}"#;
    let stored = r#"{"Album":"Back in Black","Artist":"AC/DC","Rank":77,"Year":1980}"#;
    gateway.add(body).await.is(201, stored);
    gateway.add(body).await.is_error(409, "album_exists");
    let again = r#"{"Artist": "AC/DC", "Album": "Back in Black", "Genre": "Rock"}"#;
    let replaced = r#"{"Album":"Back in Black","Artist":"AC/DC","Genre":"Rock"}"#;
    gateway
        .call("POST", "/api/albums", "overwrite=false", again)
        .await
        .is_error(409, "album_exists");
    gateway.call("POST", "/api/albums", "overwrite=true", again).await.is(200, replaced);
    gateway.list("").await.is(200, &format!(r#"{{"albums":[{replaced}]}}"#));
    let other = r#"{"Artist": "AC/DC", "Album": "Powerage"}"#;
    gateway
        .call("POST", "/api/albums", "overwrite=true", other)
        .await
        .is(201, r#"{"Album":"Powerage","Artist":"AC/DC"}"#);
}

#[tokio::test]
async fn the_longest_keys_are_taken_and_longer_ones_refused() {
    let gateway = Gateway::empty().await;
    let body = |artist: usize, album: usize, genre: usize| {
        let (artist, album, genre) = ("a".repeat(artist), "b".repeat(album), "c".repeat(genre));
        format!(r#"{{"Artist": "{artist}", "Album": "{album}", "Genre": "{genre}"}}"#)
    };
    assert_eq!(gateway.add(&body(2048, 1024, 1024)).await.status, 201);
    for (artist, album, genre) in
        [(2049, 1, 1), (1, 1025, 1), (1, 1, 1025), (0, 1, 1), (1, 0, 1), (1, 1, 0)]
    {
        gateway.add(&body(artist, album, genre)).await.is_error(400, "invalid_body");
    }
}

#[tokio::test]
async fn bodies_that_are_no_albums_are_refused() {
    let gateway = Gateway::empty().await;
    let long = format!(r#"{{"Artist": "{}"}}"#, "a".repeat(300_000));
    for body in [
        "",
        "{",
        "[]",
        "null",
        r#""album""#,
        r#"{"Artist": "a"}"#,
        r#"{"Album": "a"}"#,
        r#"{"Artist": 1, "Album": "a"}"#,
        r#"{"Artist": null, "Album": "a"}"#,
        r#"{"Artist": "a", "Album": "b", "artist": "c"}"#,
        r#"{"Artist": "a", "Album": "b", "Album": "c"}"#,
        r#"{"Artist": "a", "Album": "b", "Genre": 3}"#,
        r#"{"Artist": "a", "Album": "b", "Genre": null}"#,
        r#"{"Artist": "a", "Album": "b", "Rank": "3"}"#,
        r#"{"Artist": "a", "Album": "b", "Rank": 0}"#,
        r#"{"Artist": "a", "Album": "b", "Rank": -1}"#,
        r#"{"Artist": "a", "Album": "b", "Rank": 1.5}"#,
        r#"{"Artist": "a", "Album": "b", "Year": 12345}"#,
    ] {
        gateway.add(body).await.is_error(400, "invalid_body");
    }
    gateway.add(&long).await.is_error(413, "body_too_long");
    let body = r#"{"Artist": "a", "Album": "b"}"#;
    gateway
        .call("POST", "/api/albums", "overwrite=1", body)
        .await
        .is_error(400, "invalid_parameter");
    gateway
        .call("POST", "/api/albums", "force=true", body)
        .await
        .is_error(400, "invalid_parameter");
    gateway.list("").await.is(200, r#"{"albums":[]}"#);
}
