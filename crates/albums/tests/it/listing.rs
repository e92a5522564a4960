//! Listing albums, page by page.

use std::collections::BTreeSet;

use albums::ALBUMS;
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::gateway::Gateway;

/// Follows the cursors, and returns the sizes of the pages and the albums found.
async fn follow(gateway: &Gateway, query: &str) -> (Vec<usize>, BTreeSet<String>) {
    let (mut sizes, mut found) = (Vec::new(), BTreeSet::new());
    let mut cursor = String::new();
    loop {
        let answer = gateway.list(&format!("{query}{cursor}")).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let body = answer.json();
        let albums = body["albums"].as_array().expect("albums");
        sizes.push(albums.len());
        for album in albums {
            assert!(found.insert(format!("{} / {}", album["Artist"], album["Album"])), "{album}");
        }
        match &body["cursor"] {
            Value::Null => return (sizes, found),
            next => cursor = format!("&cursor={}", next.as_str().expect("a text")),
        }
    }
}

#[tokio::test]
async fn every_album_is_listed_once_whatever_the_page() {
    let gateway = Gateway::with_sample().await;
    let count = albums::sample().expect("a sample").len();
    assert!((100..=110).contains(&count));
    let (sizes, all) = follow(&gateway, "limit=1000").await;
    assert_eq!((sizes, all.len()), (vec![count], count));
    let (sizes, found) = follow(&gateway, "limit=7").await;
    assert_eq!((sizes.len(), &found), (count.div_ceil(7), &all));
    let (sizes, found) = follow(&gateway, "limit=52").await;
    assert_eq!((sizes, &found), (vec![52, count - 52], &all));
    let default = gateway.list("").await.json();
    assert_eq!(default["albums"].as_array().map(Vec::len), Some(100));
    assert!(all.contains(r#""AC/DC" / "Back in Black""#) && all.contains(r#""Sigur Rós" / "( )""#));
}

#[tokio::test]
async fn what_other_writers_stored_is_listed_as_it_is() {
    let gateway = Gateway::empty().await;
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let number = |text: &str| AttributeValue::N(text.to_owned());
    let digits = "98765432109876543210987654321098765432";
    let key = [("Artist", text("a")), ("Album", text("b"))];
    let odd = [("Rank", number(digits)), ("Year", text("soon")), ("Label", text("l"))];
    gateway.put(ALBUMS, &[&key[..], &odd].concat()).await;
    let album =
        format!(r#"{{"Album":"b","Artist":"a","Label":"l","Rank":{digits},"Year":"soon"}}"#);
    gateway.list("").await.is(200, &format!(r#"{{"albums":[{album}]}}"#));
    let change = r#"{"Artist": "a", "Album": "b", "Genre": "Rock"}"#;
    let changed = album.replace(r#""Label""#, r#""Genre":"Rock","Label""#);
    gateway.call("PUT", "/api/albums", "", change).await.is(200, &changed);
    assert_eq!(gateway.add(r#"{"Artist": "c", "Album": "d"}"#).await.status, 201);
    let (sizes, found) = follow(&gateway, "limit=1").await;
    assert_eq!((sizes, found.len()), (vec![1, 1], 2));
    gateway.list("genre=Rock").await.is(200, &format!(r#"{{"albums":[{changed}]}}"#));
}

#[tokio::test]
async fn a_genre_is_listed_by_the_index() {
    let gateway = Gateway::with_sample().await;
    let (sizes, rock) = follow(&gateway, "genre=Rock&limit=5").await;
    let sample = albums::sample().expect("a sample");
    let is_rock =
        |album: &&albums::Album| album.genre.as_ref().is_some_and(|it| it.as_str() == "Rock");
    let expected = sample.iter().filter(is_rock).count();
    assert_eq!((rock.len(), sizes.len()), (expected, expected.div_ceil(5)));
    gateway.list("genre=M%C3%BAsica+Popular%20Brasileira").await.is(
        200,
        r#"{"albums":[{"Album":"Clube da Esquina","Artist":"Milton Nascimento & Lô Borges","Genre":"Música Popular Brasileira","Year":1972}]}"#,
    );
    gateway.list("genre=rock").await.is(200, r#"{"albums":[]}"#);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_query() {
    let gateway = Gateway::with_sample().await;
    let cursor_of = async |query: &str| {
        let body = gateway.list(query).await.json();
        body["cursor"].as_str().expect("a cursor").to_owned()
    };
    let (of_all, of_rock) = (cursor_of("limit=1").await, cursor_of("genre=Rock&limit=1").await);
    assert_eq!(gateway.list(&format!("limit=50&cursor={of_all}")).await.status, 200);
    assert_eq!(gateway.list(&format!("genre=Rock&cursor={of_rock}")).await.status, 200);
    let forged = |position: &[&str]| http_api::encode_cursor(&["albums"], position);
    for query in [
        format!("cursor={of_rock}"),
        format!("genre=Rock&cursor={of_all}"),
        format!("genre=Jazz&cursor={of_rock}"),
        "cursor=x".to_owned(),
        "cursor=%C3%BC".to_owned(),
        format!("cursor={}", &of_all[..of_all.len() - 4]),
        format!("cursor={}", forged(&["a", ""])),
        format!("cursor={}", forged(&["a"])),
        format!("cursor={}", forged(&["a", &"b".repeat(1025)])),
    ] {
        gateway.list(&query).await.is_error(400, "invalid_cursor");
    }
    for query in [
        "limit=0",
        "limit=1001",
        "limit=x",
        "limit=1&limit=1",
        "genre=",
        "page=2",
        "genre=a&genre=b",
    ] {
        gateway.list(query).await.is_error(400, "invalid_parameter");
    }
    let long = format!("genre={}", "g".repeat(1025));
    gateway.list(&long).await.is_error(400, "invalid_parameter");
}
