//! The Lambda function `list-albums`.

use std::convert::Infallible;

use albums::Albums;
use lambda_http::{Error, Request, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    http_api::prepare()?;
    let albums = &Albums::from_environment().await?;
    let handler = |request: Request| async move {
        Ok::<_, Infallible>(albums::list_albums(albums, request).await)
    };
    lambda_http::run(service_fn(handler)).await
}
