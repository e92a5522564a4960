//! The Lambda function `delete-album`.

use std::convert::Infallible;

use albums::Albums;
use lambda_http::{Error, Request, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_start::log();
    let albums = &lambda_start::start(Albums::of_function(), lambda_start::no_read).await?;
    let handler = |request: Request| async move {
        Ok::<_, Infallible>(albums::delete_album(albums, request).await)
    };
    lambda_http::run(service_fn(handler)).await
}
