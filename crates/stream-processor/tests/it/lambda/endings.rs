//! Invocations that end in another way than with a response.

use std::os::unix::process::ExitStatusExt as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use afterimage::Views;
use afterimage::record::Catalog;
use afterimage_dynamodb::{Processor, client_at_endpoint};
use afterimage_schema::TableNames;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use lambda_runtime::Error;
use stream_processor::{StreamProcessor, write_to_stdout};
use test_lambda::{DynamoDbProxy, Function, Hold, HoldAt, Moment};

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

/// A panic inside the processor is one failed invocation, and the process serves the next one. The
/// processor itself never panics on purpose, so that this process is this test binary, which serves the
/// same function with a client whose first request panics.
#[tokio::test]
async fn a_panic_is_one_failed_invocation() {
    if std::env::var_os(PANICKING).is_some() {
        panicking_function().await.expect("a runtime");
        return;
    }
    let deployment = Deployment::new().await;
    let names = deployment.tables.names();
    let dynamodb = DynamoDbProxy::start(&deployment.tables.endpoint_url(), names).await;
    let mut variables = deployment.deployed.environment(names);
    variables.insert(PANICKING.to_owned(), "true".to_owned());
    let program = std::env::current_exe().expect("this test");
    let name = "lambda::endings::a_panic_is_one_failed_invocation";
    let arguments = ["--exact", name, "--nocapture"];
    let program = program.to_str().expect("a path");
    let mut function = Function::start(program, &arguments, &variables, &dynamodb).await;
    function.ready().await;
    let event = batch(&[album(1, "Jazz")]);
    let error = function.invoke(&event).await.expect_err("a panic");
    assert_eq!(error.message, "Lambda panicked: the first request panics");
    assert_eq!(deployment.count("Jazz").await, None);
    let response = function.invoke(&event).await.expect("a response");
    assert_eq!(failed(&response), [""; 0]);
    assert_eq!(deployment.count("Jazz").await.as_deref(), Some("1"));
}

/// What is built for production unwinds, as the test above needs it. The runtime client reads no number
/// and panics: where that unwinds, the start of the process catches it and ends with 101; where a panic
/// aborts, a signal ends the process.
#[tokio::test]
async fn a_panic_of_the_binary_unwinds() {
    let deployment = Deployment::new().await;
    let names = deployment.tables.names();
    let dynamodb = DynamoDbProxy::start(&deployment.tables.endpoint_url(), names).await;
    let mut variables = deployment.deployed.environment(names);
    let variable = "AWS_LAMBDA_FUNCTION_MEMORY_SIZE";
    variables.insert(variable.to_owned(), "no number".to_owned());
    let ended = Function::start(&program(), &[], &variables, &dynamodb).await.ended().await;
    assert!(ended.stderr.iter().any(|line| line.contains(variable)), "{:?}", ended.stderr);
    assert_eq!((ended.status.code(), ended.status.signal()), (Some(101), None));
}

/// The function, with a processor that panics once.
async fn panicking_function() -> Result<(), Error> {
    let endpoint_url = std::env::var("AWS_ENDPOINT_URL_DYNAMODB")?;
    let client = client_at_endpoint(&endpoint_url);
    let config = client.config().to_builder().interceptor(PanicsOnce::default()).build();
    let catalog = Catalog::new(TableNames::from_environment()?)?;
    let views = Views::compiled_in(&catalog)?;
    let processor = Processor::new(aws_sdk_dynamodb::Client::from_conf(config), catalog, views);
    StreamProcessor::new(processor, Box::new(write_to_stdout)).serve().await
}

#[derive(Debug, Clone, Default)]
struct PanicsOnce {
    has_panicked: Arc<AtomicBool>,
}

impl Intercept for PanicsOnce {
    fn name(&self) -> &'static str {
        "PanicsOnce"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        _config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        assert!(self.has_panicked.swap(true, Ordering::SeqCst), "the first request panics");
        Ok(())
    }
}
