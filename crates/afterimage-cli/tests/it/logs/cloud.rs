//! `afterimage logs --aws`, against a service that stands for CloudWatch Logs.

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::program::{Run, signal, to_its_end};
use crate::service::{Service, on_aws};

/// Runs `logs --aws` against a service that gives these answers, one for each request; the requests.
fn with_service(answers: Vec<(u16, Value)>) -> (Run, Vec<Value>) {
    let service = Service::start(answers);
    let arguments = ["logs", "--aws", "--log-group", "group", "--outcome", "parked"];
    let run = to_its_end(&mut service.command(&arguments));
    (run, service.requests())
}

/// An event as CloudWatch answers it, of 2026-01-05T08:00:00.007Z.
fn event(id: &str, message: &Value) -> Value {
    let message = message.as_str().map_or_else(|| message.to_string(), str::to_owned);
    json!({
        "eventId": id,
        "timestamp": 1_767_600_000_007_i64,
        "logStreamName": "2026/01/05/stack-ListGenres-1A[$LATEST]0f",
        "message": message,
    })
}

fn parked(number: &str) -> Value {
    json!({
        "level": "WARN",
        "fields": { "message": "record parked", "view": "a", "sequence_number": number },
    })
}

#[test]
fn cloudwatch_is_read_page_by_page() {
    let mut dated = parked("8");
    dated["timestamp"] = "2100-01-01T00:00:00.000001Z".into();
    let other = json!({ "message": "batch processed", "outcomes": { "a": { "applied": 1 } } });
    let (run, requests) = with_service(vec![
        (
            200,
            json!({ "events": [event("1", &parked("7")), event("2", &other)], "nextToken": "t" }),
        ),
        (200, json!({ "events": [event("3", &dated)] })),
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    expect![[r#"
        2026-01-05T08:00:00.007Z  WARN   record parked  sequence_number=7  view=a  function=stack-ListGenres-1A
        2100-01-01T00:00:00.000001Z  WARN   record parked  sequence_number=8  view=a  function=stack-ListGenres-1A
    "#]]
    .assert_eq(&run.stdout);
    assert_eq!(requests[0]["logGroupName"], "group");
    assert!(requests[0]["startTime"].as_i64().is_some_and(|it| it > 1_700_000_000_000));
    assert_eq!(requests[1]["nextToken"], "t");
}

#[test]
fn a_line_that_tells_neither_time_nor_function_has_cloudwatch_s() {
    let service = Service::start(vec![(
        200,
        json!({ "events": [event("1", &"Task timed out after 3.00 seconds\n".into())] }),
    )]);
    let arguments = ["logs", "--aws", "--log-group", "group", "--output", "json"];
    let run = to_its_end(&mut service.command(&arguments));
    expect![[r#"
        {"log_stream":"2026/01/05/stack-ListGenres-1A[$LATEST]0f","message":"Task timed out after 3.00 seconds","timestamp":"2026-01-05T08:00:00.007Z"}
    "#]]
    .assert_eq(&run.stdout);
}

#[track_caller]
fn check_refusal(code: &str, expected: &Expect) {
    let (run, _) = with_service(vec![(400, json!({ "__type": code, "message": "why" }))]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""), "{code}");
    expected.assert_eq(&run.stderr);
}

#[test]
fn a_refusal_says_what_to_do() {
    check_refusal(
        "ResourceNotFoundException",
        &expect![[r#"
        error: there is no log group group
          because: ResourceNotFoundException: why
          next: name the one in the deployed stack's output ProcessorLogGroup, in its account and Region
    "#]],
    );
    check_refusal(
        "AccessDeniedException",
        &expect![[r#"
        error: the log group group may not be read: AccessDeniedException
          because: unhandled error (AccessDeniedException)
          because: Error { code: "AccessDeniedException", message: "why" }
          next: use credentials whose policy allows logs:FilterLogEvents on the log group
    "#]],
    );
    check_refusal(
        "ExpiredTokenException",
        &expect![[r#"
        error: AWS refused the credentials: ExpiredTokenException
          because: unhandled error (ExpiredTokenException)
          because: Error { code: "ExpiredTokenException", message: "why" }
          next: sign in anew (`aws sts get-caller-identity` says as whom), and run the command again
    "#]],
    );
    check_refusal(
        "ThrottlingException",
        &expect![[r#"
        error: CloudWatch Logs is asked too much: ThrottlingException
          because: unhandled error (ThrottlingException)
          because: Error { code: "ThrottlingException", message: "why" }
          next: wait a little and run the command again, with a shorter --since; with --follow it waits by itself
    "#]],
    );
    check_refusal(
        "InvalidParameterException",
        &expect![[r#"
        error: CloudWatch Logs answered with InvalidParameterException
          because: InvalidParameterException: why
          next: correct what the cause names, and run the command again
    "#]],
    );
}

#[test]
fn a_throttled_reader_waits_and_goes_on() {
    let throttled = (400, json!({ "__type": "ThrottlingException", "message": "Rate exceeded" }));
    let service = Service::start_for_follower(vec![
        (200, json!({ "events": [event("1", &parked("7"))], "nextToken": "t" })),
        throttled,
        (200, json!({ "events": [event("1", &parked("7")), event("2", &parked("8"))] })),
    ]);
    let arguments = ["logs", "--aws", "--log-group", "group", "--follow"];
    let mut process = service.command(&arguments).stdout(Stdio::piped()).spawn().expect("started");
    let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let lines: Vec<String> = lines.take(2).map(|line| line.expect("a line")).collect();
    assert!(lines[0].contains("sequence_number=7"), "{lines:?}");
    assert!(lines[1].contains("sequence_number=8"), "what was printed is not repeated: {lines:?}");
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
    let requests = service.requests();
    assert_eq!(requests[0]["startTime"], requests[2]["startTime"], "nothing is passed over");
}

/// A reader that follows a log group until it is told to end.
fn follower(command: &mut Command) -> (Child, BufReader<ChildStdout>, BufReader<ChildStderr>) {
    let mut process =
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("started");
    let stdout = process.stdout.take().expect("its output");
    let stderr = process.stderr.take().expect("its errors");
    (process, BufReader::new(stdout), BufReader::new(stderr))
}

/// What a reader tells first.
fn said(stderr: BufReader<ChildStderr>) -> Vec<String> {
    let mut said = Vec::new();
    for line in stderr.lines() {
        said.push(line.expect("a line"));
        if said.last().is_some_and(|line| line.starts_with("  next: ")) {
            break;
        }
    }
    said
}

const FOLLOW: [&str; 5] = ["logs", "--aws", "--log-group", "group", "--follow"];

/// This machine's clock may be ahead: what CloudWatch has by then is not passed over.
#[test]
fn a_follower_keeps_to_the_time_of_cloudwatch() {
    let at_ms = 4_102_444_800_000_i64;
    let mut newest = event("1", &parked("7"));
    newest["timestamp"] = at_ms.into();
    let service = Service::start_for_follower(vec![
        (200, json!({ "events": [newest, event("2", &parked("8"))] })),
        (200, json!({ "events": [event("3", &parked("9"))] })),
    ]);
    let (mut process, stdout, _stderr) = follower(&mut service.command(&FOLLOW));
    assert_eq!(stdout.lines().take(3).count(), 3);
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
    assert_eq!(service.requests()[1]["startTime"], at_ms - 30_000);
}

#[test]
fn a_fault_of_cloudwatch_is_told_once_and_outlasted() {
    let service = Service::start_for_follower(vec![
        (200, json!({ "events": [event("1", &parked("7"))], "nextToken": "t" })),
        (500, json!({ "__type": "InternalFailure", "message": "why" })),
        (502, json!("no service answers")),
        (200, json!({ "events": [event("1", &parked("7")), event("2", &parked("8"))] })),
    ]);
    let (mut process, stdout, mut stderr) = follower(&mut service.command(&FOLLOW));
    let lines: Vec<String> = stdout.lines().take(2).map(|line| line.expect("a line")).collect();
    assert!(lines[1].contains("sequence_number=8"), "{lines:?}");
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
    let mut said = String::new();
    stderr.read_to_string(&mut said).expect("UTF-8");
    expect![[r#"
        error: CloudWatch Logs answered with InternalFailure
          because: unhandled error (InternalFailure)
          because: Error { code: "InternalFailure", message: "why" }
          next: wait: it is asked again until it answers
    "#]]
    .assert_eq(&said);
    let requests = service.requests();
    assert_eq!(requests[0]["startTime"], requests[3]["startTime"], "nothing is passed over");
}

#[test]
fn a_fault_of_the_network_is_told_and_outlasted() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    // Whoever connects is cut off.
    std::thread::spawn(move || listener.incoming().for_each(drop));
    let (mut process, _stdout, stderr) = follower(&mut on_aws(&url, &FOLLOW));
    let said = said(stderr);
    assert_eq!(said[0], "error: CloudWatch Logs could not be asked", "{said:?}");
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_fault_ends_a_reader_that_does_not_follow() {
    let (run, _) = with_service(vec![(502, json!("no service answers"))]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.starts_with("error: CloudWatch Logs answered with status 502\n"), "{run:?}");
    assert!(run.stderr.ends_with("\n  next: wait a little and run the command again\n"), "{run:?}");
}

#[track_caller]
fn check_end_of_follower(command: &mut Command) {
    let (mut process, _stdout, stderr) = follower(command);
    let said = said(stderr);
    if said.last().is_some_and(|next| next.starts_with("  next: wait")) {
        process.kill().expect("killed");
    }
    assert_eq!(process.wait().expect("it ends").code(), Some(1), "{said:?}");
}

#[test]
fn what_no_waiting_mends_ends_a_follower() {
    for code in ["ResourceNotFoundException", "AccessDeniedException", "ExpiredTokenException"] {
        let service = Service::start(vec![(400, json!({ "__type": code, "message": "why" }))]);
        check_end_of_follower(&mut service.command(&FOLLOW));
    }
    let mut without_credentials = on_aws("http://127.0.0.1:1", &FOLLOW);
    without_credentials.env_remove("AWS_ACCESS_KEY_ID").env("AWS_EC2_METADATA_DISABLED", "true");
    check_end_of_follower(&mut without_credentials);
}
