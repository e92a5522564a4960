//! The Lambda function `post-confirmation`, a trigger of the Cognito user pool.

use lambda_runtime::{Error, LambdaEvent, service_fn, tracing};
use messages::{Messages, PostConfirmationEvent};

#[tokio::main]
async fn main() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let messages = &lambda_start::start(Messages::of_function(), lambda_start::no_read).await?;
    let handler = |event: LambdaEvent<PostConfirmationEvent>| async move {
        messages::post_confirmation(messages, event.payload).await.map_err(Error::from)
    };
    lambda_runtime::run(service_fn(handler)).await
}
