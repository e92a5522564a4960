//! The start of a Lambda function, where the processor is fast and nobody waits: its log is opened, what
//! it depends on is made, its connection opened, and what prevents its start reported.

mod init_error;
mod log;
mod panics;
mod sentence;
mod warm_up;

use std::convert::Infallible;
use std::error::Error as StdError;
use std::pin::Pin;

use lambda_runtime::Error;

pub use log::{json_lines, log};
use sentence::sentence;

/// The variables that Lambda sets and the runtime client panics without
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
const VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_RUNTIME_API",
];

/// Started by hand.
#[derive(Debug, thiserror::Error)]
#[error(
    "{variable} is not set: start this Lambda function with `cargo lambda watch`, or run all of them with `afterimage up`"
)]
struct NotInLambda {
    variable: &'static str,
}

/// Starts a function: makes the application that it serves, and warms it up by a first read, which
/// opens the connection (DNS, TCP, TLS) before the first invocation would have to wait for it. A
/// warm-up that fails is logged, and the function starts without it.
///
/// # Errors
/// One sentence, why the application cannot be made. It is also reported to Lambda, so that it shows
/// as the reason of the failed start.
pub fn start<A, S, W>(
    application: impl Future<Output = Result<A, S>>,
    first_read: impl AsyncFnOnce(&A) -> Result<(), W>,
) -> Pin<Box<impl Future<Output = Result<A, Error>>>>
where
    S: StdError,
    W: StdError,
{
    // Boxed: reading the SDK's settings is a large future.
    Box::pin(async move {
        if let Some(variable) = VARIABLES.into_iter().find(|it| std::env::var_os(it).is_none()) {
            return Err(NotInLambda { variable }.to_string().into());
        }
        match application.await {
            Ok(application) => {
                warm_up::warm_up(first_read(&application)).await;
                Ok(application)
            }
            Err(error) => {
                let sentence = sentence(&error);
                tracing::error!(error = sentence, "function cannot start");
                init_error::report(&sentence).await;
                Err(sentence.into())
            }
        }
    })
}

/// For a function whose permissions allow no read: its first request opens the connection.
///
/// # Errors
/// None.
pub async fn no_read<A>(_: &A) -> Result<(), Infallible> {
    Ok(())
}
