//! The Lambda function `list-message-groups`.

use std::convert::Infallible;

use lambda_http::{Error, Request, service_fn};
use messages::{Messages, warm_up};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_start::log();
    let messages = &lambda_start::start(Messages::of_function(), warm_up::rows).await?;
    let handler = |request: Request| async move {
        Ok::<_, Infallible>(messages::list_message_groups(messages, request).await)
    };
    lambda_http::run(service_fn(handler)).await
}
