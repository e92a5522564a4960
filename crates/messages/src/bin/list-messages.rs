//! The Lambda function `list-messages`.

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};
use messages::Messages;

#[tokio::main]
async fn main() -> Result<(), Error> {
    http_api::prepare()?;
    let messages = &Messages::from_environment().await?;
    let handler = |request: Request| async move {
        Ok::<_, Infallible>(messages::list_messages(messages, request).await)
    };
    lambda_http::run(service_fn(handler)).await
}
