//! The handler, where its lines cannot be written.

use std::io;
use std::time::Duration;

use afterimage::{Outcome, Views};
use afterimage_dynamodb::{Processor, StreamEvent};
use serde_json::json;
use stream_processor::{Request, StreamProcessor};
use testkit::dynamodb::TestDynamoDb;
use tokio::time::Instant;

#[tokio::test]
async fn what_cannot_be_written_costs_no_record() {
    let dynamodb = TestDynamoDb::start().await;
    let views = Views::compiled_in().expect("views");
    let names = dynamodb.names().clone();
    let processor = Processor::new(dynamodb.client(), views, names).expect("a processor");
    let closed = |_: &str| Err(io::Error::from(io::ErrorKind::BrokenPipe));
    let function = StreamProcessor::new(processor, Box::new(closed));
    let event = json!({ "Records": [crate::lambda::album(1, "Jazz")] }).to_string();
    let event: StreamEvent = serde_json::from_str(&event).expect("an event");
    let deadline = Instant::now() + Duration::from_secs(60);
    let request = Request { function_name: "under-test", request_id: "first", deadline };
    let report = function.handle(&event, request).await;
    let outcomes: Vec<_> = report.outcomes().collect();
    assert_eq!(outcomes, [("genre-counts", Outcome::Applied)]);
}
