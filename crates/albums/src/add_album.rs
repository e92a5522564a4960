//! `POST /api/albums?overwrite=`: adds an album.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValue;
use http_api::{ApiError, Fields, Parameters, plain_json, store_error};
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
    let replaced = put(albums, &album, overwrite).await?;
    let status = if replaced { StatusCode::OK } else { StatusCode::CREATED };
    http_api::json(status, &plain_json(&album.item())?)
}

/// Puts the album, and says whether it replaced one.
async fn put(albums: &Albums, album: &Album, overwrite: bool) -> Result<bool, ApiError> {
    let mut put = albums
        .client
        .put_item()
        .table_name(albums.albums_table())
        .set_item(Some(album.item()))
        .return_values(ReturnValue::AllOld);
    if !overwrite {
        put = put.condition_expression("attribute_not_exists(Artist)");
    }
    match put.send().await {
        Ok(done) => Ok(done.attributes.is_some_and(|old| !old.is_empty())),
        Err(error) => {
            let refused = error
                .as_service_error()
                .is_some_and(PutItemError::is_conditional_check_failed_exception);
            if refused {
                let message = "this artist has an album of this title already; PUT changes it, and \
                               `?overwrite=true` replaces it";
                return Err(ApiError::Conflict {
                    code: "album_exists",
                    message: message.to_owned(),
                });
            }
            Err(store_error("PutItem of an album", error).into())
        }
    }
}
