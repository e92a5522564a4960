//! Tells Lambda why a function cannot start
//! (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror>).

use http::{Request, Uri};
use lambda_runtime::{Diagnostic, Error};
use lambda_runtime_api_client::Client;
use lambda_runtime_api_client::body::Body;

const PATH: &str = "/2018-06-01/runtime/init/error";

/// The kind of error that the API has for a function's own start.
const ERROR_TYPE: &str = "Runtime.InitError";

/// Reports the reason. Where that fails it is logged: the process ends in any case.
pub(crate) async fn report(reason: &str) {
    if let Err(error) = try_report(reason).await {
        tracing::error!(error = crate::sentence(&*error), "failed start was not reported");
    }
}

async fn try_report(reason: &str) -> Result<(), Error> {
    let diagnostic =
        Diagnostic { error_type: ERROR_TYPE.to_owned(), error_message: reason.to_owned() };
    let request = Request::post(Uri::from_static(PATH))
        .header("lambda-runtime-function-error-type", ERROR_TYPE)
        .header("content-type", "application/json")
        .body(Body::from(serde_json::to_vec(&diagnostic)?))?;
    let response = Client::builder().build()?.call(request).await?;
    if response.status().is_success() {
        return Ok(());
    }
    Err(format!("Lambda answered with status {}", response.status()).into())
}
