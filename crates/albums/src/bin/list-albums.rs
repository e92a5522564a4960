//! The Lambda function `list-albums`.

use std::convert::Infallible;

use albums::{Albums, warm_up};
use lambda_http::{Error, Request, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_start::log();
    let albums = &lambda_start::start(Albums::of_function(), warm_up::list_albums).await?;
    let handler = |request: Request| async move {
        Ok::<_, Infallible>(albums::list_albums(albums, request).await)
    };
    lambda_http::run(service_fn(handler)).await
}
