//! Who may talk to the emulator.

use std::sync::Arc;

use axum::body::Body;
use axum::http::Response;
use axum::http::request::Parts;

/// Decides by its head whether a request is answered: `None` lets it through, a response is what the caller gets instead.
/// It runs for every request, and before anything of it is carried out.
pub type Guard = Arc<dyn Fn(&Parts) -> Option<Response<Body>> + Send + Sync>;
