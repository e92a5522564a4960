//! The first reads of the functions that may read: small, and what they find is of no interest. The
//! other functions have no permission for one, and open their connection with the first request.

use aws_sdk_dynamodb::types::AttributeValue;
use http_api::{StoreError, store_error};

use crate::list_genres::PARTITION;
use crate::{Albums, Genres};

/// The first read of `list-albums`.
///
/// # Errors
/// [`StoreError`].
pub async fn list_albums(albums: &Albums) -> Result<(), StoreError> {
    let read = albums
        .client
        .query()
        .table_name(albums.table())
        .index_name("genre-index")
        .key_condition_expression("Genre = :genre")
        .expression_attribute_values(":genre", AttributeValue::S("warm-up".to_owned()))
        .limit(1)
        .send();
    read.await.map_err(|error| store_error("first Query of genre-index", error))?;
    Ok(())
}

/// The first read of `list-genres`.
///
/// # Errors
/// [`StoreError`].
pub async fn list_genres(genres: &Genres) -> Result<(), StoreError> {
    let read = genres
        .client
        .query()
        .table_name(genres.table())
        .key_condition_expression("pk = :partition")
        .expression_attribute_values(":partition", AttributeValue::S(PARTITION.to_owned()))
        .limit(1)
        .send();
    read.await.map_err(|error| store_error("first Query of the genre counts", error))?;
    Ok(())
}
