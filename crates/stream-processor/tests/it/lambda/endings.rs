//! Invocations that end in another way than with a response.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use afterimage::Views;
use afterimage_dynamodb::{Processor, TIMEOUTS};
use afterimage_schema::TableNames;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use dynamodb_client::client_at_endpoint;
use lambda_runtime::Error;
use serde_json::{Value, json};
use stream_processor::{StreamProcessor, write_to_stdout};
use testkit::lambda::{DynamoDbProxy, Ended, Function, Hold, HoldAt, Moment, SavedQuery};

use super::{Deployment, album, batch, failed, program};

/// SIGTERM while the second transaction of a batch is under way: the process ends, has acknowledged
/// nothing, and another one that is given the batch again makes the count exact.
async fn check_sigterm(at: HoldAt) {
    let deployment = Deployment::new().await;
    let records: Vec<_> = (0..150).map(|number| album(number, "Jazz")).collect();
    let event = batch(&records);
    let hold = Hold { operation: "TransactWriteItems", answered_count: 1, at };
    let (mut function, dynamodb) = deployment.start(Some(hold)).await;
    let mut pending = function.begin(&event);
    dynamodb.held().await;
    let journal = function.journal().clone();
    let ended = function.terminate().await;
    assert_eq!(ended.status.signal(), Some(15));
    assert_eq!((pending.answer(), journal.count(&Moment::Responded)), (None, 0));
    let counted = deployment.count("Jazz").await.expect("a count");
    let expected = if at == HoldAt::Request { 1..150 } else { 150..151 };
    assert!(expected.contains(&counted.parse().expect("a number")), "{counted} {at:?}");

    let (mut function, _dynamodb) = deployment.start(None).await;
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(failed(&response), [""; 0]);
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("150"));
}

#[tokio::test]
async fn after_sigterm_before_a_commit_the_batch_delivered_again_ends_exact() {
    check_sigterm(HoldAt::Request).await;
}

#[tokio::test]
async fn after_sigterm_behind_a_commit_the_batch_delivered_again_ends_exact() {
    check_sigterm(HoldAt::Response).await;
}

/// Set in the process that panics.
const PANICKING: &str = "PANICKING_FUNCTION";

/// What a panic of the function says beside what stands in the program.
const SECRET: &str = "between-you-and-me";

/// A panic inside the processor is one failed invocation and one line, and the process serves the next
/// invocation. The processor itself never panics on purpose, so that this process is this test binary, which
/// serves the same function with a client whose first two requests panic.
async fn panic_twice(test: &str, log_format: &str) -> Ended {
    let deployment = Deployment::new().await;
    let names = deployment.tables.names();
    let dynamodb = DynamoDbProxy::start(&deployment.tables.endpoint_url(), names).await;
    let mut variables = deployment.deployed.environment(names);
    variables.insert(PANICKING.to_owned(), "true".to_owned());
    variables.insert("AWS_LAMBDA_LOG_FORMAT".to_owned(), log_format.to_owned());
    let program = std::env::current_exe().expect("this test");
    let arguments = ["--exact", test, "--nocapture", "--quiet"];
    let program = program.to_str().expect("a path");
    let mut function = Function::start(program, &arguments, &variables, &dynamodb).await;
    function.ready().await;
    let event = batch(&[album(1, "Jazz")]);
    for message in ["the first request panics", &format!("the next one does: {SECRET}")] {
        let error = function.invoke(&event).await.expect_err("a panic");
        assert_eq!(error.message, format!("Lambda panicked: {message}"));
        assert_eq!(deployment.count("Jazz").await, None);
    }
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(failed(&response), [""; 0]);
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("1"));
    let mut ended = function.terminate().await;
    assert_eq!(ended.stderr, [""; 0]);
    ended.assert_hides(SECRET);
    // What the test binary itself tells.
    ended.stdout.retain(|line| !line.is_empty() && line != "running 1 test");
    ended
}

#[tokio::test]
async fn a_panic_is_one_failed_invocation() {
    if std::env::var_os(PANICKING).is_some() {
        return panicking_function().await.expect("a runtime");
    }
    let test = "lambda::endings::a_panic_is_one_failed_invocation";
    let lines = panic_twice(test, "JSON").await.log();
    let errors: Vec<_> = lines.iter().filter(|it| it["level"] == "ERROR").collect();
    let [first, next] = errors[..] else { unreachable!("a line for each: {lines:?}") };
    for (line, number, reason) in
        [(first, 1, json!("the first request panics")), (next, 2, Value::Null)]
    {
        assert_eq!(
            (&line["fields"]["message"], &line["fields"]["error"]),
            (&json!("panicked"), &reason)
        );
        let location = line["fields"]["location"].as_str().expect("a location");
        assert!(location.starts_with(concat!(file!(), ":")), "{location}");
        assert_eq!(line["span"]["requestId"], format!("00000000-0000-4000-8000-{number:012}"));
    }
    SavedQuery::of_log_group("ProcessorLogs")
        .iter()
        .find(|it| it.name == "errors of the stream processor")
        .expect("saved")
        .assert_finds_errors(&lines, &["panicked", "panicked"]);
}

#[tokio::test]
async fn a_panic_is_one_line_of_text_too() {
    if std::env::var_os(PANICKING).is_some() {
        return panicking_function().await.expect("a runtime");
    }
    let test = "lambda::endings::a_panic_is_one_line_of_text_too";
    let ended = panic_twice(test, "Text").await;
    let errors: Vec<_> = ended.stdout.iter().filter(|it| it.contains("ERROR")).collect();
    let [first, next] = errors[..] else { unreachable!("a line for each: {:?}", ended.stdout) };
    for (line, number) in [(first, 1), (next, 2)] {
        assert!(line.contains(&format!("00000000-0000-4000-8000-{number:012}")), "{line}");
        assert!(line.contains(concat!("panicked location=\"", file!(), ":")), "{line}");
    }
    assert!(first.ends_with("error=\"the first request panics\""), "{first}");
}

/// The end of the binary where its start panics: the runtime client reads no number.
pub async fn panicking_start() -> Ended {
    let deployment = Deployment::new().await;
    let names = deployment.tables.names();
    let dynamodb = DynamoDbProxy::start(&deployment.tables.endpoint_url(), names).await;
    let mut variables = deployment.deployed.environment(names);
    variables.insert("AWS_LAMBDA_FUNCTION_MEMORY_SIZE".to_owned(), "no number".to_owned());
    Function::start(&program(), &[], &variables, &dynamodb).await.ended().await
}

/// What is built for production unwinds, as the tests above need it: the start of the process catches the
/// panic and ends with 101, where one that aborts would end it by a signal. The line has no reason, since that
/// shows what was read.
#[tokio::test]
async fn a_panic_of_the_binary_unwinds() {
    let ended = panicking_start().await;
    assert_eq!((ended.status.code(), ended.status.signal()), (Some(101), None));
    assert_eq!(ended.stderr, [""; 0]);
    let [line] = &ended.log()[..] else { unreachable!("one line: {:?}", ended.stdout) };
    assert_eq!((&line["level"], &line["fields"]["message"]), (&json!("ERROR"), &json!("panicked")));
    let location = line["fields"]["location"].as_str().expect("a location");
    assert!(location.contains("lambda_runtime"), "{location}");
    assert_eq!(line["fields"].get("error"), None);
}

/// The function, with a processor that panics twice.
async fn panicking_function() -> Result<(), Error> {
    lambda_start::log();
    let endpoint_url = std::env::var("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = client_at_endpoint(&endpoint_url, TIMEOUTS);
    let config = client.config().to_builder().interceptor(PanicsTwice::default()).build();
    let views = Views::compiled_in()?;
    let names = TableNames::from_environment(&views.all_tables())?;
    let processor = Processor::new(aws_sdk_dynamodb::Client::from_conf(config), views, names)?;
    StreamProcessor::new(processor, Box::new(write_to_stdout)).serve().await
}

#[derive(Debug, Clone, Default)]
struct PanicsTwice {
    request_count: Arc<AtomicUsize>,
}

impl Intercept for PanicsTwice {
    fn name(&self) -> &'static str {
        "PanicsTwice"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request_count = self.request_count.fetch_add(1, Ordering::SeqCst);
        assert!(request_count != 0, "the first request panics");
        assert!(request_count != 1, "the next one does: {SECRET}");
        Ok(())
    }
}
