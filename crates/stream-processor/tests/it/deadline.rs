//! The deadline that comes with an event, in virtual time.

use std::net::TcpListener;
use std::time::{Duration, SystemTime};

use afterimage::Views;
use afterimage_dynamodb::{Processor, RecordReport, StreamEvent, TIMEOUTS};
use dynamodb_client::client_at_endpoint;
use lambda_runtime::{Context, LambdaEvent};
use stream_processor::StreamProcessor;
use testkit::dynamodb::product_names;

/// A function whose DynamoDB never answers.
fn function(dynamodb: &TcpListener) -> StreamProcessor {
    let address = dynamodb.local_addr().expect("an address");
    let views = Views::compiled_in().expect("views");
    let names = product_names();
    let client = client_at_endpoint(&format!("http://{address}"), TIMEOUTS);
    let processor = Processor::new(client, views, names).expect("a processor");
    StreamProcessor::new(processor, Box::new(|_| Ok(())))
}

async fn check(time_ms: u64) {
    let dynamodb = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let function = function(&dynamodb);
    let event = testkit::lambda::event("stream/several-groups-in-one-batch");
    let event: StreamEvent = serde_json::from_str(&event).expect("an event");
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970");
    let mut context = Context::default();
    context.deadline = u64::try_from(now.as_millis()).expect("a time") + time_ms;
    let event = LambdaEvent::new(event, context);
    let handled = function.handle_event(&event);
    // Lambda ends what is not answered by now. The runtime's clock stands still while there is work.
    let handled = tokio::time::timeout(Duration::from_millis(time_ms), handled).await;
    let report = handled.expect("an answer within the time");
    assert!(report.records.iter().any(RecordReport::is_failed), "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_waits_answers_before_lambda_ends_it() {
    for time_ms in [200, 2_000, 60_000] {
        check(time_ms).await;
    }
}
