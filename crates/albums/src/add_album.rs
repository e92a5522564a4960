//! `POST /api/albums?overwrite=`: adds an album.

use aws_sdk_dynamodb::types::ReturnValue;
use http_api::{ApiError, Fields, Item, Outcome, Parameters, put_new, store_error, transact};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};

use crate::album::ATTRIBUTES;
use crate::{Album, Albums};

/// 201 with the album; 409 `album_exists` where it is there already, or with `?overwrite=true` 200,
/// the album then replacing all of the one that was there.
pub async fn add_album(albums: &Albums, request: Request) -> Response<Body> {
    http_api::answer(add(albums, &request).await)
}

async fn add(albums: &Albums, request: &Request) -> Result<Response<Body>, ApiError> {
    let overwrite = Parameters::of(request, &["overwrite"])?.flag("overwrite")?;
    let album = Album::take_from(&mut Fields::of(request, &ATTRIBUTES)?)?;
    let item = album.item()?;
    let replaced = if overwrite {
        put(albums, item.clone()).await?
    } else {
        put_where_none_is(albums, item.clone()).await?;
        false
    };
    let status = if replaced { StatusCode::OK } else { StatusCode::CREATED };
    http_api::json(status, &albums.origin().plain_json(&item)?)
}

/// Puts the album, and says whether it replaced one.
async fn put(albums: &Albums, album: Item) -> Result<bool, ApiError> {
    let done = albums
        .client
        .put_item()
        .table_name(albums.table())
        .set_item(Some(album))
        .return_values(ReturnValue::AllOld)
        .send()
        .await
        .map_err(|error| store_error("PutItem of an album", error))?;
    Ok(done.attributes.is_some_and(|old| !old.is_empty()))
}

/// Puts the album in a transaction, so that a request that is sent twice does not meet its own album.
async fn put_where_none_is(albums: &Albums, album: Item) -> Result<(), ApiError> {
    let put = put_new(albums.table(), "Artist", album)?;
    match transact(&albums.client, "adding an album", vec![put]).await? {
        Outcome::Written => Ok(()),
        Outcome::Refused(_) => Err(ApiError::Conflict {
            code: "album_exists",
            message: "this artist has an album of this title already; PUT changes it, and \
                      `?overwrite=true` replaces it"
                .to_owned(),
        }),
    }
}
