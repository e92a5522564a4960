//! `GET /api/genres`: how many albums each genre has.

use aws_sdk_dynamodb::types::AttributeValue;
use http_api::{ApiError, Origin, Parameters, store_error};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::{Deserialize, Serialize};

use crate::Genres;

/// The partition of the counts that the engine keeps.
pub(crate) const PARTITION: &str = "albums-by-genre";

/// 200 `{"genres": [{"genre": …, "count": …}]}` by genre, in the order of their UTF-8 bytes; genres
/// without albums are left out. The counts are those of the albums whose records are processed.
pub async fn list_genres(genres: &Genres, request: Request) -> Response<Body> {
    http_api::answer(list(genres, &request).await)
}

async fn list(genres: &Genres, request: &Request) -> Result<Response<Body>, ApiError> {
    Parameters::of(request, &[])?;
    let origin = Origin { table: genres.table(), key: ["pk", "sk"] };
    let mut counts: Vec<GenreCount> = Vec::new();
    let mut start = None;
    loop {
        let found = genres
            .client
            .query()
            .table_name(genres.table())
            .key_condition_expression("pk = :partition")
            .expression_attribute_values(":partition", AttributeValue::S(PARTITION.to_owned()))
            .consistent_read(true)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| store_error("Query of the genre counts", error))?;
        for item in found.items() {
            counts.push(origin.read(item)?);
        }
        start = found.last_evaluated_key;
        if start.is_none() {
            break;
        }
    }
    counts.retain(|it| it.count != 0);
    http_api::json(StatusCode::OK, &Listed { genres: counts })
}

#[derive(Serialize)]
struct Listed {
    genres: Vec<GenreCount>,
}

/// The item of a count, and what is shown of it.
#[derive(Deserialize, Serialize)]
struct GenreCount {
    #[serde(rename(deserialize = "sk"))]
    genre: String,
    count: u64,
}
