//! Serves the API and the local routes.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::Response;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::authorizer::Authorizer;
use super::functions::Functions;
use super::refusal::{Refusal, forbidden, json_response};
use super::routes::Routes;
use super::{cors, event, request_body, request_head, sign_in};
use crate::callers::Callers;
use crate::event_source_mapping::Clock;
use crate::status::Status;

/// What answering a request needs.
#[derive(Debug)]
pub(crate) struct Gateway {
    pub callers: Callers,
    pub routes: Routes,
    pub functions: Functions,
    pub authorizer: Authorizer,
    pub status: Status,
    pub clock: Clock,
}

/// Serves until `stop` is sent or dropped, and then finishes the requests in hand.
///
/// # Errors
/// Where the listener fails.
pub(crate) async fn serve(
    listener: TcpListener,
    gateway: Gateway,
    stop: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let router = Router::new().fallback(handle).with_state(Arc::new(gateway));
    let stopped = async move {
        // A dropped sender stops it as well.
        stop.await.ok();
    };
    axum::serve(listener, router).with_graceful_shutdown(stopped).await
}

async fn handle(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    if let Err(refusal) = gateway.callers.check(&parts) {
        tracing::warn!(%refusal, "request refused");
        // A head that API Gateway would refuse is refused as such.
        return request_head::check(&parts)
            .map_or_else(Refusal::response, |()| forbidden(&refusal));
    }
    let is_cross_origin = parts.headers.contains_key(ORIGIN);
    let mut response = if cors::is_preflight(&parts.method, &parts.headers) {
        cors::preflight()
    } else {
        gateway.answer(parts, body).await.unwrap_or_else(Refusal::response)
    };
    if is_cross_origin {
        cors::allow(&mut response);
    }
    response
}

impl Gateway {
    async fn answer(&self, parts: Parts, body: Body) -> Result<Response, Refusal> {
        request_head::check(&parts)?;
        match (&parts.method, parts.uri.path()) {
            (&Method::GET, "/healthz") => Ok(json_response(StatusCode::OK, &json!({ "ok": true }))),
            (&Method::GET, "/local/status") => self.status().await,
            (&Method::POST, "/local/token") => {
                let (applications, now) = (&self.functions.0, (self.clock)());
                let body = request_body::read(body).await?;
                sign_in::sign_in(applications, &self.authorizer, &body, now).await
            }
            (method, path) => {
                let matched = self.routes.find(method.as_str(), path).ok_or(Refusal::NotFound)?;
                let claims = if matched.route.needs_token {
                    let header = request_head::authorization(&parts.headers);
                    let claims = self.authorizer.authorize(header);
                    Some(claims.map_err(|_| Refusal::Unauthorized)?)
                } else {
                    None
                };
                let body = request_body::read(body).await?;
                let event = event::event(&matched, &parts, &body, claims.as_ref(), (self.clock)());
                let response = self.functions.call(&matched.route.function, &event).await?;
                Ok(response.map(to_http_body))
            }
        }
    }

    async fn status(&self) -> Result<Response, Refusal> {
        let report = self.status.report().await;
        let report = report
            .map_err(|error| afterimage::reason(&error))
            .and_then(|report| serde_json::to_value(report).map_err(|error| error.to_string()));
        match report {
            Ok(report) => Ok(json_response(StatusCode::OK, &report)),
            Err(error) => {
                tracing::error!(error, "status not known");
                Err(Refusal::InternalServerError)
            }
        }
    }
}

fn to_http_body(body: lambda_http::Body) -> Body {
    match body {
        lambda_http::Body::Text(text) => Body::from(text),
        lambda_http::Body::Binary(bytes) => Body::from(bytes),
        // `Empty`, and whatever kinds follow: nothing to send.
        _ => Body::empty(),
    }
}
