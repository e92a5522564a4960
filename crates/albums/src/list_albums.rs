//! `GET /api/albums?genre=&limit=&cursor=`: all albums, or those of a genre.

use aws_sdk_dynamodb::types::AttributeValue;
use http_api::{
    ApiError, InvalidCursor, Item, Page, Parameters, Read, StoreError, decode_cursor,
    encode_cursor, store_error,
};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::{Album, AlbumKey, Albums, Genre};

/// How many albums a page has where the request does not say.
const LIMIT_DEFAULT: u16 = 100;

/// 200 `{"albums": […], "cursor": …}`; there is a cursor exactly where more albums follow.
///
/// The albums come in no order that means anything. Those of a genre are read from an index that may
/// be a moment behind.
pub async fn list_albums(albums: &Albums, request: Request) -> Response<Body> {
    http_api::answer(list(albums, &request).await)
}

async fn list(albums: &Albums, request: &Request) -> Result<Response<Body>, ApiError> {
    let mut parameters = Parameters::of(request, &["genre", "limit", "cursor"])?;
    let limit = parameters.limit(LIMIT_DEFAULT)?;
    let genre = parameters.take("genre").map(Genre::new).transpose();
    let genre = genre.map_err(|error| ApiError::invalid_parameter(error.to_string()))?;
    let query = match &genre {
        None => vec!["albums"],
        Some(genre) => vec!["albums", "genre", genre.as_str()],
    };
    let start = match parameters.take("cursor") {
        None => None,
        Some(cursor) => Some(start_key(&cursor, &query, genre.as_ref())?),
    };
    let page = match &genre {
        None => scan(albums, limit, start).await?,
        Some(genre) => of_genre(albums, genre, limit, start).await?,
    };
    let cursor = match &page.last {
        None => None,
        Some(last) => {
            let Position { artist, album } = albums.origin().read(last)?;
            Some(encode_cursor(&query, &[&artist, &album]))
        }
    };
    http_api::json(StatusCode::OK, &Listed { albums: page.items, cursor })
}

/// Where a cursor stands: the key of an album, as it is stored.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Position {
    artist: String,
    album: String,
}

#[derive(Serialize)]
struct Listed {
    albums: Vec<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
}

/// `ExclusiveStartKey`: the position of the cursor, and the genre where an index is read.
fn start_key(cursor: &str, query: &[&str], genre: Option<&Genre>) -> Result<Item, ApiError> {
    let [artist, album] = decode_cursor(cursor, query)?;
    let key = AlbumKey::new(artist, album).map_err(|_| InvalidCursor)?;
    let album = Album { key, genre: genre.cloned(), rank: None, year: None };
    Ok(album.item()?)
}

async fn scan(albums: &Albums, limit: u16, start: Option<Item>) -> Result<Page, StoreError> {
    http_api::read_page(albums.origin(), limit, start, |start, count| async move {
        let found = albums
            .client
            .scan()
            .table_name(albums.table())
            .set_exclusive_start_key(start)
            .limit(count)
            .send()
            .await
            .map_err(|error| store_error("Scan of albums", error))?;
        Ok(Read { items: found.items.unwrap_or_default(), next: found.last_evaluated_key })
    })
    .await
}

async fn of_genre(
    albums: &Albums,
    genre: &Genre,
    limit: u16,
    start: Option<Item>,
) -> Result<Page, StoreError> {
    http_api::read_page(albums.origin(), limit, start, |start, count| async move {
        let found = albums
            .client
            .query()
            .table_name(albums.table())
            .index_name("genre-index")
            .key_condition_expression("#Genre = :genre")
            .expression_attribute_names("#Genre", "Genre")
            .expression_attribute_values(":genre", AttributeValue::S(genre.as_str().to_owned()))
            .set_exclusive_start_key(start)
            .limit(count)
            .send()
            .await
            .map_err(|error| store_error("Query of genre-index", error))?;
        Ok(Read { items: found.items.unwrap_or_default(), next: found.last_evaluated_key })
    })
    .await
}
