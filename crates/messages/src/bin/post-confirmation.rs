//! The Lambda function `post-confirmation`, a trigger of the Cognito user pool.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use messages::{Messages, PostConfirmationEvent};

#[tokio::main]
async fn main() -> Result<(), Error> {
    lambda_start::log();
    let messages = &lambda_start::start(Messages::of_function(), lambda_start::no_read).await?;
    let handler = |event: LambdaEvent<PostConfirmationEvent>| async move {
        // The sentence alone: the error itself may hold a response of DynamoDB, items included.
        messages::post_confirmation(messages, event.payload).await.map_err(|it| it.to_string())
    };
    lambda_runtime::run(service_fn(handler)).await
}
