//! What the API Lambdas share: the errors and their one translation, strict reading of bodies and
//! query parameters, cursors, pages, transactions, the caller, and items as structs and as plain JSON.
//!
//! Requests are `lambda_http` requests made from API Gateway HTTP API events, payload format 2.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

mod api_error;
mod body;
mod caller;
mod cursor;
mod field_error;
mod item;
mod page;
mod plain_json;
mod query;
mod reply;
mod store_error;
mod timeouts;
mod transaction;

pub use api_error::ApiError;
pub use body::{BODY_BYTES_MAX, Fields};
pub use caller::Caller;
pub use cursor::{InvalidCursor, decode_cursor, encode_cursor};
pub use field_error::FieldError;
pub use item::{Item, Origin, to_item};
pub use page::{PAGE_BYTES_MAX, Page, Read, read_page};
pub use query::{LIMIT_MAX, Parameters};
pub use reply::{answer, causes, json, no_content};
pub use store_error::{StoreError, store_error};
pub use timeouts::TIMEOUTS;
pub use transaction::{Outcome, Refused, put_new, transact};
