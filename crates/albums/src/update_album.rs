//! `PUT /api/albums`: changes what the body gives of an album.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};
use http_api::{ApiError, Fields, Item, Parameters, store_error, to_item};
use lambda_http::http::StatusCode;
use lambda_http::{Body, Request, Response};
use serde::Serialize;

use crate::album::ATTRIBUTES;
use crate::{AlbumKey, Albums, Genre, Rank, Year};

/// 200 with the album as it is then: attributes that the body gives are set, those that it gives as
/// `null` are removed, all others stay, unknown ones too. 404 `album_not_found` where there is none.
pub async fn update_album(albums: &Albums, request: Request) -> Response<Body> {
    http_api::answer(update(albums, &request).await)
}

async fn update(albums: &Albums, request: &Request) -> Result<Response<Body>, ApiError> {
    Parameters::of(request, &[])?;
    let mut fields = Fields::of(request, &ATTRIBUTES)?;
    let key = AlbumKey::take_from(&mut fields)?;
    let changes = Changes::take_from(&mut fields)?;
    let item = write(albums, &key, &changes).await?;
    http_api::json(StatusCode::OK, &albums.origin().plain_json(&item)?)
}

/// The attributes to set and those to remove.
#[derive(Debug, Default)]
struct Changes {
    set: BTreeMap<String, AttributeValue>,
    remove: Vec<&'static str>,
}

/// The attributes that a body gives, as they are stored.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Given {
    #[serde(skip_serializing_if = "Option::is_none")]
    genre: Option<Genre>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<Rank>,
    #[serde(skip_serializing_if = "Option::is_none")]
    year: Option<Year>,
}

impl Changes {
    fn take_from(fields: &mut Fields) -> Result<Self, ApiError> {
        let remove =
            ["Genre", "Rank", "Year"].into_iter().filter(|name| fields.take_null(name)).collect();
        let given = Given {
            genre: Genre::take_from(fields)?,
            rank: Rank::take_from(fields)?,
            year: Year::take_from(fields)?,
        };
        Ok(Self { set: to_item(&given)?.into_iter().collect(), remove })
    }

    /// `SET #Genre = :Genre REMOVE #Rank`: every name by its alias, as `Rank` and `Year` are reserved
    /// (<https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html>).
    fn expression(&self) -> Option<String> {
        let set: Vec<String> = self.set.keys().map(|name| format!("#{name} = :{name}")).collect();
        let remove: Vec<String> = self.remove.iter().map(|name| format!("#{name}")).collect();
        let clauses = [("SET", set), ("REMOVE", remove)];
        let written = clauses.into_iter().filter(|(_, parts)| !parts.is_empty());
        let written: Vec<String> =
            written.map(|(clause, parts)| format!("{clause} {}", parts.join(", "))).collect();
        (!written.is_empty()).then(|| written.join(" "))
    }
}

/// Writes the changes in one conditional update, and returns the item after it.
async fn write(albums: &Albums, key: &AlbumKey, changes: &Changes) -> Result<Item, ApiError> {
    let mut update = albums
        .client
        .update_item()
        .table_name(albums.table())
        .set_key(Some(key.item()?))
        .set_update_expression(changes.expression())
        .condition_expression("attribute_exists(Artist)")
        .return_values(ReturnValue::AllNew);
    for (name, value) in &changes.set {
        update = update
            .expression_attribute_names(format!("#{name}"), name)
            .expression_attribute_values(format!(":{name}"), value.clone());
    }
    for name in &changes.remove {
        update = update.expression_attribute_names(format!("#{name}"), *name);
    }
    match update.send().await {
        Ok(done) => Ok(done.attributes.unwrap_or_default()),
        Err(error) => {
            let refused = error
                .as_service_error()
                .is_some_and(UpdateItemError::is_conditional_check_failed_exception);
            if refused {
                let message = "this artist has no album of this title; POST adds it".to_owned();
                return Err(ApiError::NotFound { code: "album_not_found", message });
            }
            Err(store_error("UpdateItem of an album", error).into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(json: &str, expected: Option<&str>) {
        let mut fields = Fields::parse(json.as_bytes(), &ATTRIBUTES).expect("an object");
        let changes = Changes::take_from(&mut fields).expect("changes");
        assert_eq!(changes.expression().as_deref(), expected);
    }

    #[test]
    fn only_what_is_given_is_written() {
        check("{}", None);
        check(r#"{"Rank": 3}"#, Some("SET #Rank = :Rank"));
        check(r#"{"Rank": null}"#, Some("REMOVE #Rank"));
        check(
            r#"{"Genre": "Rock", "Rank": null, "Year": 1980}"#,
            Some("SET #Genre = :Genre, #Year = :Year REMOVE #Rank"),
        );
        check(
            r#"{"Genre": null, "Rank": null, "Year": null}"#,
            Some("REMOVE #Genre, #Rank, #Year"),
        );
    }
}
