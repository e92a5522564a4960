//! `DELETE /api/albums?artist=&album=`: deletes an album that is not protected.

use aws_sdk_dynamodb::types::{
    AttributeValue, Delete, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};
use http_api::{ApiError, Outcome, Parameters, transact};
use lambda_http::{Body, Request, Response};

use crate::{AlbumKey, Albums, PROTECTED_RANK_MAX};

/// 204; 404 `album_not_found`; 409 `album_protected` for an album of rank [`PROTECTED_RANK_MAX`] and
/// better.
pub async fn delete_album(albums: &Albums, request: Request) -> Response<Body> {
    http_api::answer(delete(albums, &request).await)
}

async fn delete(albums: &Albums, request: &Request) -> Result<Response<Body>, ApiError> {
    let mut parameters = Parameters::of(request, &["artist", "album"])?;
    let key = AlbumKey::new(parameters.require("artist")?, parameters.require("album")?)
        .map_err(|error| ApiError::invalid_parameter(error.to_string()))?;
    delete_unprotected(albums, &key).await?;
    Ok(http_api::no_content())
}

/// One conditional delete decides: between a read and a delete the rank could change. It is a
/// transaction, so that a request that is sent twice is not told that the album is gone.
async fn delete_unprotected(albums: &Albums, key: &AlbumKey) -> Result<(), ApiError> {
    let delete = Delete::builder()
        .table_name(albums.table())
        .set_key(Some(key.item()?))
        .condition_expression(
            "attribute_exists(Artist) AND (attribute_not_exists(#Rank) OR #Rank > :protected)",
        )
        .expression_attribute_names("#Rank", "Rank")
        .expression_attribute_values(
            ":protected",
            AttributeValue::N(PROTECTED_RANK_MAX.to_string()),
        )
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .build()
        .map_err(ApiError::internal)?;
    let delete = TransactWriteItem::builder().delete(delete).build();
    match transact(&albums.client, "deleting an album", vec![delete]).await? {
        Outcome::Written => Ok(()),
        Outcome::Refused(refused) if refused.at(0).is_some_and(|item| !item.is_empty()) => {
            let message = format!(
                "this album is protected: albums of rank {PROTECTED_RANK_MAX} and better are kept; \
                 PUT takes its Rank away first"
            );
            Err(ApiError::Conflict { code: "album_protected", message })
        }
        Outcome::Refused(_) => {
            let message = "this artist has no album of this title".to_owned();
            Err(ApiError::NotFound { code: "album_not_found", message })
        }
    }
}
