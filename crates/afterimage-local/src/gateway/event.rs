//! The event of a request: HTTP API, payload format 2.0
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html>).

use std::collections::BTreeMap;

use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, USER_AGENT};
use axum::http::{HeaderMap, HeaderName, request::Parts};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use time::macros::format_description;
use uuid::Uuid;

use super::percent::percent_decoded;
use super::routes::Match;

/// The claims of a token, as the authorizer passes them on.
pub(super) type Claims = BTreeMap<String, String>;

/// The event of a request that took a route.
pub(super) fn event(
    matched: &Match,
    parts: &Parts,
    body: &[u8],
    claims: Option<&Claims>,
    now: OffsetDateTime,
) -> Value {
    let route_key = format!("{} {}", matched.route.method, matched.route.path);
    let (path, query) = (parts.uri.path(), parts.uri.query().unwrap_or_default());
    let headers = headers(&parts.headers);
    let header = |name: &str| headers.get(name).and_then(Value::as_str);
    let host = header(HOST.as_str()).unwrap_or("localhost");
    let time = now.format(format_description!(
        "[day]/[month repr:short]/[year]:[hour]:[minute]:[second] +0000"
    ));
    let mut context = json!({
        "accountId": "000000000000",
        "apiId": "local",
        "domainName": host,
        "domainPrefix": "local",
        "http": {
            "method": matched.route.method,
            "path": path,
            "protocol": "HTTP/1.1",
            "sourceIp": "127.0.0.1",
            "userAgent": header(USER_AGENT.as_str()).unwrap_or_default(),
        },
        "requestId": Uuid::new_v4().to_string(),
        "routeKey": route_key,
        "stage": "$default",
        "time": time.ok(),
        "timeEpoch": now.unix_timestamp() * 1000,
    });
    let mut event = json!({
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "isBase64Encoded": false,
    });
    if let (Some(claims), Some(fields)) = (claims, context.as_object_mut()) {
        fields.insert(
            "authorizer".to_owned(),
            json!({ "jwt": { "claims": claims, "scopes": null } }),
        );
    }
    let Some(fields) = event.as_object_mut() else {
        return event;
    };
    fields.insert("requestContext".to_owned(), context);
    let cookies = cookies(&parts.headers);
    if !cookies.is_empty() {
        fields.insert("cookies".to_owned(), cookies.into());
    }
    if !query.is_empty() {
        fields.insert("queryStringParameters".to_owned(), query_parameters(query).into());
    }
    if !matched.parameters.is_empty() {
        let parameters = matched.parameters.iter();
        let parameters: Map<String, Value> =
            parameters.map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect();
        fields.insert("pathParameters".to_owned(), parameters.into());
    }
    if !body.is_empty() {
        let (body, is_base64_encoded) = body_text(&parts.headers, body);
        fields.insert("body".to_owned(), body.into());
        fields.insert("isBase64Encoded".to_owned(), is_base64_encoded.into());
    }
    event
}

/// What API Gateway sets itself: a client's word for it reaches no function.
const GATEWAY_HEADERS: [&str; 3] = ["x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"];

/// Names in lower case, several values of one joined by commas; cookies stand elsewhere.
fn headers(headers: &HeaderMap) -> Map<String, Value> {
    let mut joined = Map::new();
    let is_passed =
        |name: &HeaderName| *name != COOKIE && !GATEWAY_HEADERS.contains(&name.as_str());
    for name in headers.keys().filter(|name| is_passed(name)) {
        let values: Vec<_> = headers
            .get_all(name)
            .iter()
            .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            .collect();
        joined.insert(name.as_str().to_owned(), values.join(",").into());
    }
    joined
}

fn cookies(headers: &HeaderMap) -> Vec<String> {
    headers
        .get_all(COOKIE)
        .iter()
        .flat_map(|value| {
            let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
            text.split(';').map(|cookie| cookie.trim().to_owned()).collect::<Vec<_>>()
        })
        .filter(|cookie| !cookie.is_empty())
        .collect()
}

/// Decoded, several values of one name joined by commas.
fn query_parameters(query: &str) -> Map<String, Value> {
    let mut values_by_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let decoded = |text: &str| percent_decoded(&text.replace('+', " "));
        values_by_name.entry(decoded(name)).or_default().push(decoded(value));
    }
    values_by_name.into_iter().map(|(name, values)| (name, values.join(",").into())).collect()
}

/// Text as it is, everything else in base64: by the content type, as HTTP APIs decide.
fn body_text(headers: &HeaderMap, body: &[u8]) -> (String, bool) {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let media_type = content_type.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let is_text = media_type.starts_with("text/")
        || ["application/json", "application/javascript", "application/xml"].contains(&media_type);
    match std::str::from_utf8(body) {
        Ok(text) if is_text => (text.to_owned(), false),
        Ok(_) | Err(_) => (BASE64_STANDARD.encode(body), true),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use lambda_http::RequestExt;

    use super::super::routes::Routes;
    use super::*;
    use crate::template::TEMPLATE;

    fn event_of(method: &str, uri: &str, headers: &[(&str, &str)], body: &[u8]) -> Value {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, ()) = request.body(()).expect("a request").into_parts();
        let routes = Routes::read(TEMPLATE).expect("routes");
        let matched = routes.find(method, parts.uri.path()).expect("a route");
        let claims = Claims::from([("sub".to_owned(), "u1".to_owned())]);
        let now = OffsetDateTime::from_unix_timestamp(1_700_000_000).expect("a time");
        event(&matched, &parts, body, Some(&claims), now)
    }

    #[test]
    fn an_event_has_api_gateway_s_shape_and_the_runtime_reads_it() {
        let event = event_of(
            "GET",
            "/api/messages/a%2Fb?limit=5&x=1%2C2&x=3+4&flag",
            &[("Host", "h:1"), ("X-Many", "a"), ("X-Many", "b"), ("Cookie", "c=1; d=2")],
            b"",
        );
        assert_eq!(event["routeKey"], "GET /api/messages/{message_group_uuid}");
        assert_eq!(event["rawPath"], "/api/messages/a%2Fb");
        assert_eq!(event["rawQueryString"], "limit=5&x=1%2C2&x=3+4&flag");
        assert_eq!(event["headers"], json!({ "host": "h:1", "x-many": "a,b" }));
        assert_eq!(event["cookies"], json!(["c=1", "d=2"]));
        let parameters = json!({ "limit": "5", "x": "1,2,3 4", "flag": "" });
        assert_eq!(event["queryStringParameters"], parameters);
        assert_eq!(event["pathParameters"], json!({ "message_group_uuid": "a/b" }));
        assert_eq!(event["requestContext"]["time"], "14/Nov/2023:22:13:20 +0000");
        assert_eq!(event["requestContext"]["authorizer"]["jwt"]["claims"], json!({ "sub": "u1" }));
        assert_eq!(event.get("body"), None);
        let request = lambda_http::request::from_str(&event.to_string()).expect("readable");
        assert_eq!(request.path_parameters().first("message_group_uuid"), Some("a/b"));
        assert_eq!(request.query_string_parameters().first("x"), Some("1,2"));
    }

    #[test]
    fn bodies_are_text_or_base64_by_their_type() {
        let body = |content_type: &str, body: &[u8]| {
            let event = event_of("POST", "/api/albums", &[("Content-Type", content_type)], body);
            (event["body"].as_str().expect("text").to_owned(), event["isBase64Encoded"] == true)
        };
        assert_eq!(body("application/json; charset=utf-8", b"{}"), ("{}".to_owned(), false));
        assert_eq!(body("text/plain", b"{}"), ("{}".to_owned(), false));
        assert_eq!(body("application/x-www-form-urlencoded", b"{}"), ("e30=".to_owned(), true));
        assert_eq!(body("application/json", &[0xff]), ("/w==".to_owned(), true));
    }
}
