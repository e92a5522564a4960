//! The start of a Lambda function.

/// The variables that the Lambda runtime sets and the runtime client panics without
/// (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>).
const VARIABLES: [&str; 4] = [
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_RUNTIME_API",
];

/// Why a function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum RuntimeError {
    /// Started by hand.
    #[error(
        "{variable} is not set: start this Lambda function with `cargo lambda watch`, or run all of them with `afterimage up`"
    )]
    NotInLambda {
        /// The missing variable.
        variable: &'static str,
    },
}

/// Prepares a Lambda function: logs as Lambda's settings ask, and a clear error elsewhere.
///
/// # Errors
/// [`RuntimeError::NotInLambda`] outside a Lambda runtime.
pub fn prepare() -> Result<(), RuntimeError> {
    lambda_http::tracing::init_default_subscriber();
    match VARIABLES.into_iter().find(|variable| std::env::var_os(variable).is_none()) {
        Some(variable) => Err(RuntimeError::NotInLambda { variable }),
        None => Ok(()),
    }
}
