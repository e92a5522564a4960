//! The HTTP API on one machine: what API Gateway does in front of the functions
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

mod authorizer;
mod cors;
mod es256;
mod event;
mod functions;
mod keys;
mod percent;
mod refusal;
mod request_body;
mod request_head;
mod routes;
mod server;
mod sign_in;

pub(crate) use authorizer::Authorizer;
pub(crate) use functions::Functions;
pub use keys::{KeyError, Keys};
pub(crate) use routes::Routes;
pub use routes::RoutesError;
pub(crate) use server::{Gateway, serve};
