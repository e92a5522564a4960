//! The application over a DynamoDB, called with the events that API Gateway sends.

use std::sync::atomic::{AtomicBool, Ordering};

use afterimage_schema::Table;
use albums::{ALBUMS, Albums, Genres};
use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::types::AttributeValue;
use lambda_http::http::HeaderValue;
use lambda_http::{Body, Request, Response};
use serde_json::{Value, json};
use testkit::dynamodb::TestDynamoDb;

/// The application over empty tables.
pub struct Gateway {
    pub dynamodb: TestDynamoDb,
    pub albums: Albums,
    pub genres: Genres,
}

impl Gateway {
    pub async fn empty() -> Self {
        let dynamodb = TestDynamoDb::start().await;
        let albums = Albums::new(dynamodb.client(), dynamodb.name(&ALBUMS).to_owned());
        let genres = Genres::new(dynamodb.client(), dynamodb.name(&Table::DERIVED).to_owned());
        Self { dynamodb, albums, genres }
    }

    pub async fn with_sample() -> Self {
        let gateway = Self::empty().await;
        let sample = albums::sample().expect("a sample");
        let mut told = Vec::new();
        let written = albums::put_all(&gateway.albums, &sample, |so_far| told.push(so_far)).await;
        assert_eq!(written.expect("puts"), sample.len());
        assert_eq!(told.last(), Some(&sample.len()));
        gateway
    }

    /// The same DynamoDB with another table of counts.
    pub fn with_counts_in(self, table: &str) -> Self {
        let genres = Genres::new(self.dynamodb.client(), table.to_owned());
        Self { genres, ..self }
    }

    /// The same with a client that loses the first response to a write, and sends it again.
    pub fn losing_a_response(self) -> Self {
        let config =
            self.dynamodb.client().config().to_builder().interceptor(LostResponse::default());
        let client = aws_sdk_dynamodb::Client::from_conf(config.build());
        let albums = Albums::new(client, self.dynamodb.name(&ALBUMS).to_owned());
        Self { albums, ..self }
    }

    /// Whether its engine knows the token of a transaction again; says that it does not.
    pub fn knows_tokens(&self) -> bool {
        if !self.dynamodb.is_embedded() {
            self.dynamodb.leave_out("a lost response", "tokens of transactions");
        }
        self.dynamodb.is_embedded()
    }

    /// Puts an item of strings and numbers, as any client of the table may.
    pub async fn put(&self, table: Table, attributes: &[(&str, AttributeValue)]) {
        let item = attributes.iter().map(|(name, it)| ((*name).to_owned(), it.clone())).collect();
        let client = self.dynamodb.client();
        let put = client.put_item().table_name(self.dynamodb.name(&table)).set_item(Some(item));
        put.send().await.expect("a put");
    }

    /// Deletes an album, protected or not.
    pub async fn remove(&self, artist: &str, album: &str) {
        let delete = self.dynamodb.client().delete_item();
        let delete = delete
            .table_name(self.dynamodb.name(&ALBUMS))
            .key("Artist", AttributeValue::S(artist.to_owned()))
            .key("Album", AttributeValue::S(album.to_owned()));
        delete.send().await.expect("a deletion");
    }

    /// Calls a route, and answers with `"<status> <body>"`.
    pub async fn call(&self, method: &str, path: &str, query: &str, body: &str) -> Answer {
        let event = event(method, path, query, body);
        let request = lambda_http::request::from_str(&event).expect("an event");
        self.send(request).await
    }

    pub async fn send(&self, request: Request) -> Answer {
        let albums = &self.albums;
        let route = format!("{} {}", request.method(), request.uri().path());
        let response = match route.as_str() {
            "GET /api/albums" => albums::list_albums(albums, request).await,
            "POST /api/albums" => albums::add_album(albums, request).await,
            "PUT /api/albums" => albums::update_album(albums, request).await,
            "DELETE /api/albums" => albums::delete_album(albums, request).await,
            "GET /api/genres" => albums::list_genres(&self.genres, request).await,
            _ => panic!("no route {route}"),
        };
        Answer::of(&response)
    }

    pub async fn list(&self, query: &str) -> Answer {
        self.call("GET", "/api/albums", query, "").await
    }

    pub async fn add(&self, body: &str) -> Answer {
        self.call("POST", "/api/albums", "", body).await
    }
}

/// The first response becomes an internal error, after the write was carried out.
#[derive(Debug, Default)]
struct LostResponse {
    is_lost: AtomicBool,
}

impl Intercept for LostResponse {
    fn name(&self) -> &'static str {
        "LostResponse"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if !self.is_lost.swap(true, Ordering::SeqCst) {
            let body = context.response_mut().take_body();
            *context.response_mut() = HttpResponse::new(500.try_into()?, body);
        }
        Ok(())
    }
}

/// Status and body of an answer.
pub struct Answer {
    pub status: u16,
    pub text: String,
}

impl Answer {
    fn of(response: &Response<Body>) -> Self {
        let status = response.status().as_u16();
        let text = String::from_utf8(response.body().to_vec()).expect("UTF-8");
        // API Gateway adds the headers of CORS, as the template has them, and ignores a function's own
        // (<https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>). A page may read
        // `Content-Type` without being allowed to; another header would need `ExposeHeaders` in the template.
        assert!(response.headers().keys().all(|it| it == "content-type"), "{response:?}");
        let content_type = response.headers().get("content-type").map(HeaderValue::as_bytes);
        let expected = (status != 204).then_some(b"application/json".as_slice());
        assert_eq!(content_type, expected, "{status} {text}");
        Self { status, text }
    }

    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).expect("JSON")
    }

    #[track_caller]
    pub fn is(&self, status: u16, text: &str) {
        assert_eq!((self.status, self.text.as_str()), (status, text));
    }

    #[track_caller]
    pub fn is_error(&self, status: u16, code: &str) {
        assert_eq!(
            (self.status, self.json()["error"].as_str()),
            (status, Some(code)),
            "{}",
            self.text
        );
        assert!(self.json()["message"].as_str().is_some_and(|it| !it.is_empty()));
    }
}

fn event(method: &str, path: &str, query: &str, body: &str) -> String {
    json!({
        "version": "2.0",
        "routeKey": format!("{method} {path}"),
        "rawPath": path,
        "rawQueryString": query,
        "headers": { "content-type": "application/json", "host": "localhost" },
        "requestContext": {
            "accountId": "000000000000", "apiId": "local", "stage": "$default", "timeEpoch": 0,
            "http": { "method": method, "path": path, "protocol": "HTTP/1.1",
                      "sourceIp": "127.0.0.1", "userAgent": "test" },
        },
        "body": body,
        "isBase64Encoded": false,
    })
    .to_string()
}
