//! The application over a DynamoDB with the sample conversations, called with the events that API
//! Gateway sends.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::http::HeaderValue;
use lambda_http::{Body, Request, Response};
use messages::{Clock, MESSAGES, Messages};
use serde_json::{Value, json};
use testkit::dynamodb::TestDynamoDb;

pub const ADA: &str = "a0a0a0a0-0000-4000-8000-000000000001";
pub const LIN: &str = "a0a0a0a0-0000-4000-8000-000000000002";
pub const SAM: &str = "a0a0a0a0-0000-4000-8000-000000000003";
/// The group of ada and lin.
pub const TWO: &str = "c0c0c0c0-0000-4000-8000-000000000001";
/// The group of all three.
pub const THREE: &str = "c0c0c0c0-0000-4000-8000-000000000002";
/// What the clock of these tests always says.
pub const NOW: &str = "2026-03-01T09:00:00.000000+00:00";

pub struct Gateway {
    pub dynamodb: TestDynamoDb,
    pub messages: Messages,
}

impl Gateway {
    pub async fn empty() -> Self {
        let dynamodb = TestDynamoDb::start().await;
        let messages =
            Messages::new(dynamodb.client(), dynamodb.name(&MESSAGES).to_owned(), fixed_clock());
        Self { dynamodb, messages }
    }

    pub async fn with_sample() -> Self {
        let gateway = Self::empty().await;
        messages::seed_sample(&gateway.messages).await.expect("a seed");
        gateway
    }

    /// Puts an item of strings, as any client of the table may.
    pub async fn put(&self, attributes: &[(&str, &str)]) {
        let item = attributes
            .iter()
            .map(|(name, text)| ((*name).to_owned(), AttributeValue::S((*text).to_owned())))
            .collect();
        let client = self.dynamodb.client();
        let table = self.dynamodb.name(&MESSAGES);
        client.put_item().table_name(table).set_item(Some(item)).send().await.expect("a put");
    }

    pub async fn delete(&self, pk: &str, sk: &str) {
        let client = self.dynamodb.client();
        let delete = client.delete_item().table_name(self.dynamodb.name(&MESSAGES));
        let delete = delete.key("pk", AttributeValue::S(pk.to_owned()));
        delete.key("sk", AttributeValue::S(sk.to_owned())).send().await.expect("a delete");
    }

    /// Every item whose partition begins so: `pk sk` and the other attributes, all of them strings.
    pub async fn items(&self, prefix: &str) -> BTreeMap<String, BTreeMap<String, String>> {
        let client = self.dynamodb.client();
        let found = client.scan().table_name(self.dynamodb.name(&MESSAGES)).send().await;
        let mut items = BTreeMap::new();
        for item in found.expect("a scan").items() {
            let mut texts: BTreeMap<String, String> = item
                .iter()
                .map(|(name, it)| (name.clone(), it.as_s().expect("a string").clone()))
                .collect();
            let (pk, sk) = (texts.remove("pk").expect("pk"), texts.remove("sk").expect("sk"));
            if pk.starts_with(prefix) {
                items.insert(format!("{pk} {sk}"), texts);
            }
        }
        items
    }

    pub async fn send(&self, request: Request) -> Answer {
        let messages = &self.messages;
        let route = format!("{} {}", request.method(), request.uri().path());
        let response = if route == "POST /api/messages" {
            messages::post_message(messages, request).await
        } else if route == "GET /api/message_groups" {
            messages::list_message_groups(messages, request).await
        } else if route.starts_with("GET /api/messages/") {
            messages::list_messages(messages, request).await
        } else {
            panic!("no route {route}")
        };
        Answer::of(&response)
    }

    pub async fn post(&self, user_uuid: &str, body: &str) -> Answer {
        self.send(request("POST", "/api/messages", "", body, Some(user_uuid))).await
    }

    pub async fn list(&self, user_uuid: &str, group_uuid: &str, query: &str) -> Answer {
        let path = format!("/api/messages/{group_uuid}");
        self.send(request("GET", &path, query, "", Some(user_uuid))).await
    }

    pub async fn groups(&self, user_uuid: &str, query: &str) -> Answer {
        self.send(request("GET", "/api/message_groups", query, "", Some(user_uuid))).await
    }
}

pub fn fixed_clock() -> Clock {
    Clock::new(|| SystemTime::UNIX_EPOCH + Duration::from_secs(1_772_355_600))
}

/// Status and body of an answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    pub fn of(response: &Response<Body>) -> Self {
        let status = response.status().as_u16();
        let text = String::from_utf8(response.body().to_vec()).expect("UTF-8");
        // API Gateway adds the headers of CORS, as the template has them, and ignores a function's own
        // (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>). A page may read
        // `Content-Type` without being allowed to; another header would need `ExposeHeaders` in the template.
        assert!(response.headers().keys().all(|it| it == "content-type"), "{response:?}");
        let content_type = response.headers().get("content-type").map(HeaderValue::as_bytes);
        assert_eq!(content_type, Some(b"application/json".as_slice()), "{status} {text}");
        Self { status, text }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    #[track_caller]
    pub fn is(&self, status: u16, expected: Value) {
        assert_eq!((self.status, self.json()), (status, expected));
    }

    #[track_caller]
    pub fn is_error(&self, status: u16, code: &str) {
        let body = self.json();
        assert_eq!((self.status, body["error"].as_str()), (status, Some(code)), "{}", self.text);
        assert!(body["message"].as_str().is_some_and(|it| !it.is_empty()));
    }

    /// The texts of an attribute, over all items of a list.
    #[track_caller]
    pub fn all(&self, list: &str, attribute: &str) -> Vec<String> {
        let body = self.json();
        let items = body[list].as_array().unwrap_or_else(|| panic!("{}", self.text));
        items.iter().map(|it| it[attribute].as_str().expect("a text").to_owned()).collect()
    }
}

pub fn request(method: &str, path: &str, query: &str, body: &str, user: Option<&str>) -> Request {
    let mut context = json!({
        "accountId": "000000000000", "apiId": "local", "stage": "$default", "timeEpoch": 0,
        "http": { "method": method, "path": path, "protocol": "HTTP/1.1",
                  "sourceIp": "127.0.0.1", "userAgent": "test" },
    });
    if let Some(user) = user {
        // `SUB` or `SUB NAME`.
        let (sub, name) = user.split_once(' ').unzip();
        let mut claims = json!({ "sub": sub.unwrap_or(user) });
        if let Some(name) = name {
            claims["cognito:username"] = json!(name);
        }
        context["authorizer"] = json!({ "jwt": { "claims": claims, "scopes": null } });
    }
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query,
        "headers": { "content-type": "application/json", "host": "localhost" },
        "requestContext": context, "body": body, "isBase64Encoded": false,
    });
    if let Some(group) = path.strip_prefix("/api/messages/") {
        event["pathParameters"] = json!({ "message_group_uuid": group });
    }
    lambda_http::request::from_str(&event.to_string()).expect("an event")
}
