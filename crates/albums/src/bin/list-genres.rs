//! The Lambda function `list-genres`.

use std::convert::Infallible;

use albums::{Genres, warm_up};
use lambda_http::{Error, Request, service_fn};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_start::log();
    let genres = &lambda_start::start(Genres::of_function(), warm_up::list_genres).await?;
    let handler = |request: Request| async move {
        Ok::<_, Infallible>(albums::list_genres(genres, request).await)
    };
    lambda_http::run(service_fn(handler)).await
}
