//! `verify` while somebody moves items at the worst moments.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use afterimage_dynamodb::{Processor, VerifyOptions, ViewReport};
use afterimage_schema::Table;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::http::HttpRequest;
use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::world::{ALBUMS, World, record};

/// What somebody does before and after each read of counts.
type Visit = Arc<dyn Fn(&'static str) -> BoxFuture<'static, ()> + Send + Sync>;

/// A client of the same DynamoDB whose reads of counts are visited.
fn visited_client(client: &Client, visit: Visit) -> Client {
    let inner = aws_smithy_http_client::Builder::new().build_http();
    let http_client = VisitedHttpClient { inner, visit };
    Client::from_conf(client.config().to_builder().http_client(http_client).build())
}

#[derive(Clone)]
struct VisitedHttpClient {
    inner: SharedHttpClient,
    visit: Visit,
}

impl fmt::Debug for VisitedHttpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VisitedHttpClient")
    }
}

impl HttpClient for VisitedHttpClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let inner = self.inner.http_connector(settings, components);
        SharedHttpConnector::new(VisitedConnector { inner, visit: Arc::clone(&self.visit) })
    }
}

struct VisitedConnector {
    inner: SharedHttpConnector,
    visit: Visit,
}

impl fmt::Debug for VisitedConnector {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("VisitedConnector")
    }
}

impl HttpConnector for VisitedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = String::from_utf8_lossy(request.body().bytes().unwrap_or_default());
        if !body.contains("albums-by-genre") {
            return self.inner.call(request);
        }
        let (inner, visit) = (self.inner.clone(), Arc::clone(&self.visit));
        HttpConnectorFuture::new(async move {
            visit("before").await;
            let answer = inner.call(request).await;
            visit("after").await;
            answer
        })
    }
}

/// Puts an album and delivers its record.
async fn write(
    client: Client,
    table_name: String,
    processor: Processor,
    number: u64,
    album: &str,
    genre: &str,
) {
    let keys = json!({"Artist": {"S": "x"}, "Album": {"S": album}});
    let mut item = keys.clone();
    item["Genre"] = json!({ "S": genre });
    let put = client.put_item().table_name(&table_name);
    let put = put.set_item(Some(crate::world::to_sdk(&item)));
    put.send().await.expect("a put");
    let text = record(&ALBUMS, "MODIFY", number, keys, item).to_string();
    let text = text.replace(&ALBUMS.default_name(), &table_name);
    let event = serde_json::from_value(
        json!({ "Records": [serde_json::from_str::<Value>(&text).expect("JSON")] }),
    );
    let deadline = tokio::time::Instant::now() + Duration::from_secs(600);
    let report = processor.process(&event.expect("an event"), deadline).await;
    assert_eq!(crate::world::words(&report), "applied");
}

/// Three albums are in Rock and one in Jazz, which is in Rock whenever counts are read. The count of Rock is off
/// by `surplus`.
async fn verified(surplus: i64) -> ViewReport {
    let world = World::new().await;
    let table_name = world.name(&ALBUMS).to_owned();
    let numbers = Arc::new(AtomicU64::new(1));
    let (client, processor) = (world.client.clone(), world.processor.clone());
    let write = move |album: &'static str, genre: &'static str| {
        let number = numbers.fetch_add(1, Ordering::SeqCst);
        write(client.clone(), table_name.clone(), processor.clone(), number, album, genre)
    };
    for album in ["a", "b", "c"] {
        write(album, "Rock").await;
    }
    write("e", "Jazz").await;
    if surplus != 0 {
        let count = json!({
            "pk": {"S": "albums-by-genre"}, "sk": {"S": "Rock"},
            "count": {"N": (3 + surplus).to_string()},
        });
        world.put(Table::DERIVED, count).await;
    }
    let visit: Visit =
        Arc::new(move |when| Box::pin(write("e", if when == "before" { "Rock" } else { "Jazz" })));
    let views = afterimage::Views::parse(include_str!("../../../../views.toml")).expect("views");
    let client = visited_client(&world.client, visit);
    let processor = Processor::new(client, views, world.dynamodb.names().clone());
    let options = VerifyOptions { segment_count: 1, patience: Duration::ZERO };
    let processor = processor.expect("one");
    let verified = Box::pin(processor.verify(Some("genre-counts"), options, |_| ())).await;
    verified.expect("it ends").views.remove(0)
}

fn drift(report: &ViewReport) -> Vec<String> {
    let drift = report.drift.iter();
    drift.map(|it| format!("{}: {}, not {}", it.item, it.expected, it.found)).collect()
}

#[tokio::test]
async fn an_item_that_is_in_a_group_only_while_counts_are_read_makes_no_drift() {
    let report = verified(0).await;
    assert_eq!((drift(&report), report.undecided), (Vec::new(), Vec::new()));
}

#[tokio::test]
async fn an_item_that_makes_a_wrong_count_look_right_hides_nothing() {
    let report = verified(-1).await;
    assert_eq!(drift(&report), ["albums-by-genre / Rock: 4, not 3"]);
    assert_eq!(report.undecided, Vec::<String>::new());
}
