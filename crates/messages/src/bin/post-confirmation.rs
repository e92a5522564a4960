//! The Lambda function `post-confirmation`, a trigger of the Cognito user pool.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use messages::{Messages, PostConfirmationEvent};

#[tokio::main]
async fn main() -> Result<(), Error> {
    http_api::prepare()?;
    let messages = &Messages::from_environment().await?;
    let handler = |event: LambdaEvent<PostConfirmationEvent>| async move {
        messages::post_confirmation(messages, event.payload).await.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handler)).await
}
