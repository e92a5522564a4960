//! `afterimage logs`.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use expect_test::{Expect, expect};
use serde_json::{Value, json};

use crate::observed::Observed;
use crate::program::{Run, check, command, run, signal, to_its_end};
use crate::service::Service;

/// The messages of the events that a run printed.
#[track_caller]
fn messages(arguments: &[&str]) -> Vec<String> {
    let run = run(&[&["logs", "--output", "json"], arguments].concat());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let events = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON"));
    let message = |event: Value| {
        let nested = event["fields"]["message"].as_str();
        event["message"].as_str().or(nested).expect("a message").to_owned()
    };
    events.map(message).collect()
}

#[test]
fn the_stack_s_log_is_printed_by_view_and_outcome() {
    let observed = Observed::start();
    let of =
        |arguments: &[&str]| messages(&[&["--data-dir", observed.data_dir()], arguments].concat());
    let parked = of(&["--view", "genre-counts", "--outcome", "parked"]);
    assert!(parked.contains(&"record parked".to_owned()), "{parked:?}");
    assert!(parked.contains(&"batch processed".to_owned()), "{parked:?}");
    assert!(!parked.iter().any(|it| it.starts_with("record failed")), "{parked:?}");
    let failed = of(&["--outcome", "failed"]);
    assert!(failed.iter().any(|it| it.starts_with("record failed")), "{failed:?}");
    assert!(of(&["--view", "message-groups"]).is_empty());
    let all = run(&["logs", "--since", "10m", "--data-dir", observed.data_dir()]);
    assert!(
        all.stdout.contains("batch processed  FunctionName=StreamProcessor  cold_start=true"),
        "{}",
        all.stdout
    );
    assert!(!all.stdout.contains("outcome counted"), "{}", all.stdout);
    assert_eq!(observed.stack.stop("TERM"), Some(0));
}

#[test]
fn what_is_older_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("logs/functions.jsonl");
    std::fs::create_dir(folder.path().join("logs")).expect("a folder");
    let line = |at: &str, message: &str| json!({ "timestamp": at, "message": message }).to_string();
    let lines = [
        line("2020-01-01T00:00:00Z", "old"),
        line("2100-01-01T00:00:00Z", "new"),
        line("sometime", "undated"),
    ];
    std::fs::write(path, lines.join("\n") + "\n").expect("written");
    let data_dir = folder.path().to_str().expect("UTF-8");
    assert_eq!(messages(&["--data-dir", data_dir, "--since", "1d"]), ["new", "undated"]);
}

#[test]
fn the_log_is_followed_until_ctrl_c() {
    let observed = Observed::start();
    let arguments = [
        "logs",
        "--follow",
        "--data-dir",
        observed.data_dir(),
        "--since",
        "1m",
        "--output",
        "json",
    ];
    let mut process = command(&arguments).stdout(Stdio::piped()).spawn().expect("it starts");
    let mut lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    observed.put_message("hello");
    let is_wanted = |line: &String| line.contains("message-groups");
    let found = lines.by_ref().map(|line| line.expect("a line")).find(is_wanted);
    let found: Value = serde_json::from_str(&found.expect("an event")).expect("JSON");
    assert_eq!(found["message"], "batch processed");
    signal(&process, "INT");
    assert_eq!(process.wait().expect("it ends").code(), Some(130));
}

#[test]
fn a_log_that_is_not_there_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().to_str().expect("UTF-8");
    let run = run(&["logs", "--data-dir", path]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.starts_with("error: there is no log at "), "{}", run.stderr);
    assert!(run.stderr.contains("\n  next: start a stack with `afterimage up`"), "{}", run.stderr);
    check(
        "no endpoint",
        &["logs", "--since", "10"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: invalid value '10' for '--since <TIME>': give a number and one of s, m, h and d, such as 10m

            For more information, try '--help'.
        "#]],
    );
    check(
        "no endpoint",
        &["logs", "--aws"],
        &expect![[r#"
            exit code 2
            on standard error:
            error: no log group is named
              next: give --log-group, or PROCESSOR_LOG_GROUP: the deployed stack's output ProcessorLogGroup
        "#]],
    );
}

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
    json!({ "eventId": id, "timestamp": 1_767_600_000_007_i64, "message": message })
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
        2026-01-05T08:00:00.007Z  WARN   record parked  sequence_number=7  view=a
        2100-01-01T00:00:00.000001Z  WARN   record parked  sequence_number=8  view=a
    "#]]
    .assert_eq(&run.stdout);
    assert_eq!(requests[0]["logGroupName"], "group");
    assert!(requests[0]["startTime"].as_i64().is_some_and(|it| it > 1_700_000_000_000));
    assert_eq!(requests[1]["nextToken"], "t");
}

#[test]
fn a_line_that_tells_no_time_has_cloudwatch_s() {
    let service = Service::start(vec![(
        200,
        json!({ "events": [event("1", &"Task timed out after 3.00 seconds\n".into())] }),
    )]);
    let arguments = ["logs", "--aws", "--log-group", "group", "--output", "json"];
    let run = to_its_end(&mut service.command(&arguments));
    expect![[r#"
        {"message":"Task timed out after 3.00 seconds","timestamp":"2026-01-05T08:00:00.007Z"}
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
          next: mend what the cause names, and run the command again
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

#[test]
fn options_of_another_place_are_refused() {
    for (arguments, expected) in [
        (
            &["--endpoint", "http://127.0.0.1:1"] as &[&str],
            expect![[r#"
            exit code 2
            on standard error:
            error: logs reads a file or CloudWatch Logs, and no DynamoDB: --endpoint says nothing to it
              next: name the local stack's --data-dir, or give --aws
        "#]],
        ),
        (
            &["--endpoint", "http://127.0.0.1:1", "--aws"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --endpoint and --aws exclude each other
              next: give the one that you mean
        "#]],
        ),
        (
            &["--data-dir", "other", "--aws", "--log-group", "group"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --data-dir is of a local stack, and --aws is not
              next: give --log-group with --aws, or --data-dir alone
        "#]],
        ),
        (
            &["--log-group", "group"],
            expect![[r#"
            exit code 2
            on standard error:
            error: --log-group is on AWS
              next: give --aws with it, or --data-dir for a local stack
        "#]],
        ),
    ] {
        check("no endpoint", &[&["logs"], arguments].concat(), &expected);
    }
}
